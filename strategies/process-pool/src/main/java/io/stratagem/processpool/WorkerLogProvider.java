package io.stratagem.processpool;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.ILoggerFactory;
import org.slf4j.IMarkerFactory;
import org.slf4j.Logger;
import org.slf4j.MDC;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.BasicMDCAdapter;
import org.slf4j.helpers.BasicMarkerFactory;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;
import org.slf4j.spi.MDCAdapter;
import org.slf4j.spi.SLF4JServiceProvider;

/**
 * The logging of a worker process: what is logged there through SLF4J appears in the application's log. Named to SLF4J
 * by the pool when it starts a worker; of no use elsewhere.
 */
public final class WorkerLogProvider implements SLF4JServiceProvider {
    /** The least level that is sent. */
    static final String LEVEL_PROPERTY = "stratagem.worker.logLevel";

    private final IMarkerFactory markers = new BasicMarkerFactory();
    private final MDCAdapter mdc = new BasicMDCAdapter();

    private final Map<String, Logger> loggers = new ConcurrentHashMap<>();

    /** For SLF4J. */
    public WorkerLogProvider() {}

    @Override
    public ILoggerFactory getLoggerFactory() {
        return name -> loggers.computeIfAbsent(name, SendingLogger::new);
    }

    @Override
    public IMarkerFactory getMarkerFactory() {
        return markers;
    }

    @Override
    public MDCAdapter getMDCAdapter() {
        return mdc;
    }

    @Override
    public String getRequestedApiVersion() {
        return "2.0.99";
    }

    @Override
    public void initialize() {
        WorkerMdc.use(mdc);
    }

    /** Sends what is logged. */
    private static final class SendingLogger extends LegacyAbstractLogger {
        private static final long serialVersionUID = 1;
        private static final Level LEAST = Level.valueOf(System.getProperty(LEVEL_PROPERTY, "INFO"));

        SendingLogger(String name) {
            this.name = name;
        }

        @Override
        protected @Nullable String getFullyQualifiedCallerName() {
            return null;
        }

        @Override
        protected void handleNormalizedLoggingCall(
                Level level,
                @Nullable Marker marker,
                @Nullable String pattern,
                Object @Nullable [] arguments,
                @Nullable Throwable failure) {
            Outbox outbox = Outbox.present();
            if (outbox != null) {
                String message = String.valueOf(MessageFormatter.basicArrayFormat(pattern, arguments));
                Map<String, String> present = MDC.getCopyOfContextMap();
                outbox.sendLog(level.toInt(), name, message, present == null ? Map.of() : present, failure);
            }
        }

        private static boolean isSent(Level level) {
            return level.toInt() >= LEAST.toInt();
        }

        @Override
        public boolean isTraceEnabled() {
            return isSent(Level.TRACE);
        }

        @Override
        public boolean isDebugEnabled() {
            return isSent(Level.DEBUG);
        }

        @Override
        public boolean isInfoEnabled() {
            return isSent(Level.INFO);
        }

        @Override
        public boolean isWarnEnabled() {
            return isSent(Level.WARN);
        }

        @Override
        public boolean isErrorEnabled() {
            return isSent(Level.ERROR);
        }
    }
}
