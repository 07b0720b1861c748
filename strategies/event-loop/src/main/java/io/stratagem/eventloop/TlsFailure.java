package io.stratagem.eventloop;

import com.google.common.base.Throwables;
import java.io.IOException;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.util.Objects;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import org.jspecify.annotations.Nullable;

/** Says what is wrong with a handshake, and what helps: the JDK's messages do so to those who know TLS. */
final class TlsFailure {
    private TlsFailure() {}

    /**
     * A handshake has failed.
     *
     * @param host which the certificate had to be for, or null on the server's side
     * @param isEnded whether the peer has ended the connection
     */
    static Throwable ofHandshake(String peer, @Nullable String host, boolean isEnded, Throwable failure) {
        if (!(failure instanceof IOException)) {
            return failure;
        }
        SSLException explained = new SSLHandshakeException("no TLS connection with " + peer + ": "
                + (isEnded && !(failure instanceof SSLException) ? ended(host) : what(host, failure)));
        explained.initCause(failure);
        return explained;
    }

    private static String ended(@Nullable String host) {
        return host == null
                ? "it ended the connection during the handshake: it may not trust this side's certificate"
                : "it ended the connection during the handshake: it may not speak TLS there, or want a certificate of this "
                        + "side (one in the SSLContext)";
    }

    private static String what(@Nullable String host, Throwable failure) {
        String message = Objects.requireNonNullElse(failure.getMessage(), failure.toString());
        CertificateException certificate = causeOf(failure, CertificateException.class);
        if (causeOf(failure, CertificateExpiredException.class) != null) {
            return "its certificate has expired (" + deepest(failure)
                    + "): it has to be renewed, unless this machine's clock " + "is wrong";
        }
        if (causeOf(failure, CertificateNotYetValidException.class) != null) {
            return "its certificate is not valid yet (" + deepest(failure) + "): see to the clocks of both machines";
        }
        if (causeOf(failure, CertPathBuilderException.class) != null
                || causeOf(failure, CertPathValidatorException.class) != null) {
            return "its certificate is not signed by anyone this side trusts (" + message
                    + "): have the SSLContext trust its " + "issuer, if it is to be trusted";
        }
        if (certificate != null
                && (message.contains("No name matching") || message.contains("No subject alternative"))) {
            return "its certificate is not for " + host + " (" + message
                    + "): connect by a name that it is for, or name that " + "by ClientTls.hostName";
        }
        if (certificate != null) {
            return "its certificate is refused (" + message + ")";
        }
        if (message.contains("Unsupported or unrecognized SSL message") || message.contains("plaintext connection")) {
            return "what it sends is not TLS (" + message
                    + "): it may be plain text, for which no TLS option is to be given";
        }
        if (message.contains("fatal alert")) {
            return "it refuses (" + message + ")" + remedy(message);
        }
        if (message.contains("No available authentication scheme")
                || message.contains("no cipher suites in common")
                || message.contains("No appropriate protocol")) {
            return message
                    + ": the SSLContext may have no key with a certificate, or the two sides have no version of TLS in "
                    + "common";
        }
        return message;
    }

    private static String remedy(String message) {
        if (message.contains("handshake_failure")
                || message.contains("protocol_version")
                || message.contains("insufficient_security")) {
            return ": the two sides may have no version of TLS or cipher suite in common, or it wants a certificate";
        }
        if (message.contains("certificate") || message.contains("unknown_ca")) {
            return ": it does not accept the certificate of this side's SSLContext, or that has none";
        }
        if (message.contains("no_application_protocol")) {
            return ": it speaks none of the application protocols that were offered";
        }
        return "";
    }

    private static <T> @Nullable T causeOf(Throwable failure, Class<T> type) {
        for (Throwable each : Throwables.getCausalChain(failure)) {
            if (type.isInstance(each)) {
                return type.cast(each);
            }
        }
        return null;
    }

    private static String deepest(Throwable failure) {
        return String.valueOf(Throwables.getRootCause(failure).getMessage());
    }
}
