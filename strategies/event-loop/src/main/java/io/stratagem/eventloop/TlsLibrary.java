package io.stratagem.eventloop;

/** The library that {@link TlsLink} uses. For a module it is optional: this class can be loaded without it. */
final class TlsLibrary {
    private TlsLibrary() {}

    /**
     * Finds the library.
     *
     * @throws IllegalStateException if it is not there
     */
    static void require() {
        try {
            Class<?> found = Class.forName("tlschannel.TlsChannel", false, TlsLibrary.class.getClassLoader());
            // Though this module does not require it: it may be on the class path, since a runtime image takes no
            // automatic
            // modules.
            TlsLibrary.class.getModule().addReads(found.getModule());
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(
                    "TLS needs the library tls-channel: depend on com.github.marianobarrios:tls-channel, and in an "
                            + "application on the module path start java with --add-modules tls.channel",
                    e);
        }
    }
}
