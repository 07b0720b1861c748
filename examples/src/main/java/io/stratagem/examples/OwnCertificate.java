package io.stratagem.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.List;
import java.util.UUID;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** A key, and a certificate for this machine that only its own programs trust. */
final class OwnCertificate {
    private OwnCertificate() {}

    /** Has the JDK's keytool make one. The context is for both sides: it shows the certificate, and trusts no other. */
    static SSLContext make() throws IOException, InterruptedException, GeneralSecurityException {
        try (TemporaryDirectory temporary = TemporaryDirectory.create("stratagem-key-")) {
            Path file = temporary.path().resolve("key.p12");
            char[] password = UUID.randomUUID().toString().toCharArray();
            makeKey(file, new String(password));
            KeyStore keys = KeyStore.getInstance(file.toFile(), password);
            KeyManagerFactory own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            own.init(keys, password);
            TrustManagerFactory trusted = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trusted.init(keys);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(own.getKeyManagers(), trusted.getTrustManagers(), null);
            return context;
        }
    }

    private static void makeKey(Path file, String password) throws IOException, InterruptedException {
        String keytool =
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
        List<String> key = List.of("-genkeypair", "-alias", "own", "-keyalg", "EC", "-dname", "CN=localhost");
        List<String> host = List.of("-ext", "san=dns:localhost,ip:127.0.0.1,ip:::1", "-validity", "2");
        List<String> store = List.of("-storetype", "PKCS12", "-keystore", file.toString());
        ProcessBuilder command = new ProcessBuilder(keytool);
        List.of(key, host, store).forEach(command.command()::addAll);
        command.command().addAll(List.of("-storepass:env", "STORE_PASSWORD")); // an argument all could see
        command.environment().put("STORE_PASSWORD", password);
        Process process = command.redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException("keytool has made no key: " + said.strip());
        }
    }
}
