package io.stratagem.eventloop;

import static com.google.common.base.Preconditions.checkArgument;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;

/**
 * TLS for the connections that a server accepts: see {@link Network#listen(java.net.SocketAddress, ServerTls,
 * ConnectionHandler)}. Immutable: each method returns a changed copy. TLS 1.2 and 1.3, as the JDK has them.
 */
public final class ServerTls {
    private static final Duration DEFAULT_HANDSHAKE_LIMIT = Duration.ofSeconds(10);

    private final SSLContext context;
    private final boolean needsClientCertificate;
    private final Duration handshakeLimit;
    private final List<String> applicationProtocols;

    private ServerTls(
            SSLContext context,
            boolean needsClientCertificate,
            Duration handshakeLimit,
            List<String> applicationProtocols) {
        this.context = context;
        this.needsClientCertificate = needsClientCertificate;
        this.handshakeLimit = handshakeLimit;
        this.applicationProtocols = applicationProtocols;
    }

    /**
     * With the key and the certificate of a context.
     *
     * @param initialized which has been initialised with a key manager
     * @return the options
     * @throws IllegalStateException if the library tls-channel is missing
     */
    public static ServerTls of(SSLContext initialized) {
        TlsLibrary.require();
        return new ServerTls(Objects.requireNonNull(initialized, "context"), false, DEFAULT_HANDSHAKE_LIMIT, List.of());
    }

    /**
     * Clients must show a certificate that the context trusts; others are refused. {@link Connection#tlsSession} says whose
     * it is.
     *
     * @return a changed copy
     */
    public ServerTls requireClientCertificate() {
        return new ServerTls(context, true, handshakeLimit, applicationProtocols);
    }

    /**
     * How long a client may take for the handshake, before which the handler does not get its connection. 10 seconds by
     * default.
     *
     * @param limit positive
     * @return a changed copy
     * @throws IllegalArgumentException if it is not positive
     */
    public ServerTls handshakeLimit(Duration limit) {
        checkArgument(limit.compareTo(Duration.ZERO) > 0, "handshakeLimit must be positive: %s", limit);
        return new ServerTls(context, needsClientCertificate, limit, applicationProtocols);
    }

    /**
     * What this side can speak over TLS, chosen by ALPN; {@link Connection#applicationProtocol} says what was. A client that
     * offers others only is refused. None by default.
     *
     * @param preferredFirst names such as {@code h2} and {@code http/1.1}
     * @return a changed copy
     * @throws IllegalArgumentException if a name is empty
     */
    public ServerTls applicationProtocols(String... preferredFirst) {
        return new ServerTls(context, needsClientCertificate, handshakeLimit, ClientTls.checked(preferredFirst));
    }

    Duration handshakeLimit() {
        return handshakeLimit;
    }

    SSLEngine newEngine() {
        SSLEngine engine = context.createSSLEngine();
        engine.setUseClientMode(false);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setNeedClientAuth(needsClientCertificate);
        parameters.setUseCipherSuitesOrder(true);
        parameters.setApplicationProtocols(applicationProtocols.toArray(new String[0]));
        engine.setSSLParameters(parameters);
        return engine;
    }
}
