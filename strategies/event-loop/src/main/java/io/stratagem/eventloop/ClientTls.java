package io.stratagem.eventloop;

import static com.google.common.base.Preconditions.checkArgument;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Objects;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/**
 * TLS for a connection that this side opens: see {@link Network#connect(SocketAddress, ClientTls, java.time.Duration)}.
 * Immutable: each method returns a changed copy. TLS 1.2 and 1.3, as the JDK has them.
 */
public final class ClientTls {
    private static final ClientTls VERIFIED = new ClientTls(null, null, true, List.of());

    private final @Nullable SSLContext context;
    private final @Nullable String hostName;
    private final boolean isHostNameVerified;
    private final List<String> applicationProtocols;

    private ClientTls(
            @Nullable SSLContext context,
            @Nullable String hostName,
            boolean isHostNameVerified,
            List<String> applicationProtocols) {
        this.context = context;
        this.hostName = hostName;
        this.isHostNameVerified = isHostNameVerified;
        this.applicationProtocols = applicationProtocols;
    }

    /**
     * The server's certificate must be one that the JDK trusts, and be for the host that is connected to.
     *
     * @return the options
     * @throws IllegalStateException if the library tls-channel is missing
     */
    public static ClientTls verified() {
        TlsLibrary.require();
        return VERIFIED;
    }

    /**
     * Whom to trust, and which certificate to show if the server asks for one. {@link SSLContext#getDefault} by default.
     *
     * @param initialized which has been initialised
     * @return a changed copy
     */
    public ClientTls context(SSLContext initialized) {
        return new ClientTls(
                Objects.requireNonNull(initialized, "context"), hostName, isHostNameVerified, applicationProtocols);
    }

    /**
     * For which host the server's certificate has to be, and which the server is told. By default the host of the address
     * that is connected to, as it was given: its name, or if there was none, its number. A Unix socket has neither.
     *
     * <p>An {@link java.net.InetAddress} without a name gets one once it is asked for it ({@code getHostName}): whoever
     * answers for that number says which. If you have only the number, give it here, too, or connect to an address that
     * was never asked.
     *
     * @param name a host name or an IP address
     * @return a changed copy
     * @throws IllegalArgumentException if it is empty
     */
    public ClientTls hostName(String name) {
        checkArgument(!name.isBlank(), "hostName must not be empty");
        return new ClientTls(context, name, isHostNameVerified, applicationProtocols);
    }

    /**
     * Insecure: whoever has any certificate that is trusted, for whatever host, can read and change everything. The
     * certificate's issuer and dates are still verified.
     *
     * @return a changed copy
     */
    public ClientTls insecurelyAcceptCertificatesOfOtherHosts() {
        return new ClientTls(context, hostName, false, applicationProtocols);
    }

    /**
     * What this side can speak over TLS, offered by ALPN; {@link Connection#applicationProtocol} says what was chosen. None
     * by default.
     *
     * @param preferredFirst names such as {@code h2} and {@code http/1.1}
     * @return a changed copy
     * @throws IllegalArgumentException if a name is empty
     */
    public ClientTls applicationProtocols(String... preferredFirst) {
        return new ClientTls(context, hostName, isHostNameVerified, checked(preferredFirst));
    }

    /** What an engine would refuse later. */
    static List<String> checked(String... applicationProtocols) {
        List<String> names = List.of(applicationProtocols);
        checkArgument(!names.contains(""), "applicationProtocols must not be empty: %s", names);
        return names;
    }

    /**
     * The host that the certificate has to be for.
     *
     * @throws IllegalArgumentException if there is none
     */
    String hostOf(SocketAddress address) {
        if (hostName != null) {
            return hostName;
        }
        if (address instanceof InetSocketAddress inet) {
            return inet.getHostString();
        }
        throw new IllegalArgumentException(
                address + " has no host name to verify the server's certificate by: set ClientTls.hostName");
    }

    /** Blocks and computes: the default context reads files, and the first message needs new keys. */
    SSLEngine newEngine(SocketAddress address) throws NoSuchAlgorithmException, SSLException {
        SSLContext chosen = context != null ? context : SSLContext.getDefault();
        int port = address instanceof InetSocketAddress inet ? inet.getPort() : -1;
        SSLEngine engine = chosen.createSSLEngine(hostOf(address), port);
        engine.setUseClientMode(true);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm(isHostNameVerified ? "HTTPS" : null);
        parameters.setApplicationProtocols(applicationProtocols.toArray(new String[0]));
        engine.setSSLParameters(parameters);
        if (chosen.getProvider().getName().equals("SunJSSE")) {
            // TlsLink does so again, on the loop. That engine has then nothing left to do, while others may refuse.
            engine.beginHandshake();
        }
        return engine;
    }
}
