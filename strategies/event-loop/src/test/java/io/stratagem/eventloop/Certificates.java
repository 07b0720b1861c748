package io.stratagem.eventloop;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** Keys and certificates for one run, made by the JDK's keytool: an authority, and some that it has signed. */
final class Certificates {
    private static final char[] PASSWORD = "changeit".toCharArray();

    private final KeyStore all;

    private Certificates(KeyStore all) {
        this.all = all;
    }

    /**
     * {@code server}: for localhost and 127.0.0.1. {@code expired}: as that, until five days ago. {@code other}: for
     * other.example. {@code client}: for nobody. {@code stranger}: for localhost, signed by itself.
     */
    static Certificates make(Path directory) throws Exception {
        Path file = directory.resolve("keys.p12");
        keytool(file, "-alias", "authority", "-dname", "CN=authority", "-ext", "bc:critical=ca:true");
        String host = "san=dns:localhost,ip:127.0.0.1";
        keytool(file, "-alias", "server", "-dname", "CN=localhost", "-signer", "authority", "-ext", host);
        keytool(
                file,
                "-alias",
                "expired",
                "-dname",
                "CN=localhost",
                "-signer",
                "authority",
                "-ext",
                host,
                "-startdate",
                "-10d",
                "-validity",
                "5");
        keytool(file, "-alias", "other", "-dname", "CN=other", "-signer", "authority", "-ext", "san=dns:other.example");
        keytool(file, "-alias", "client", "-dname", "CN=the client", "-signer", "authority");
        keytool(file, "-alias", "stranger", "-dname", "CN=localhost", "-ext", host);
        return new Certificates(KeyStore.getInstance(file.toFile(), PASSWORD));
    }

    private static void keytool(Path file, String... options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-J-XX:TieredStopAtLevel=1",
                "-genkeypair",
                "-keyalg",
                "EC",
                "-groupname",
                "secp256r1",
                "-storetype",
                "PKCS12",
                "-keystore",
                file.toString(),
                "-storepass",
                new String(PASSWORD)));
        command.addAll(List.of(options));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
    }

    /** Trusts the authority, and has that key, if any. */
    SSLContext context(@Nullable String alias) throws GeneralSecurityException, IOException {
        return context("TLS", alias, trustManagers());
    }

    /** As a client of only that version, without a key. */
    SSLContext client(String version) throws GeneralSecurityException, IOException {
        return context(version, null, trustManagers());
    }

    SSLContext context(String version, @Nullable String alias, TrustManager[] trusted)
            throws GeneralSecurityException, IOException {
        return context(version, alias, trusted, new SecureRandom());
    }

    SSLContext context(String version, @Nullable String alias, TrustManager[] trusted, SecureRandom random)
            throws GeneralSecurityException, IOException {
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, null);
        if (alias != null) {
            own.setKeyEntry(alias, all.getKey(alias, PASSWORD), PASSWORD, all.getCertificateChain(alias));
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(own, PASSWORD);
        SSLContext context = SSLContext.getInstance(version);
        context.init(keys.getKeyManagers(), trusted, random);
        return context;
    }

    TrustManager[] trustManagers() throws GeneralSecurityException, IOException {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("authority", all.getCertificate("authority"));
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(trusted);
        return factory.getTrustManagers();
    }
}
