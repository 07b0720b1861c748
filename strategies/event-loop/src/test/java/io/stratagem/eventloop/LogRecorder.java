package io.stratagem.eventloop;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.stratagem.testkit.Patience;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.LoggerFactory;

/** What a logger of this JVM gets: counts all events and keeps the first thousand. */
final class LogRecorder extends AppenderBase<ILoggingEvent> {
    private final List<ILoggingEvent> events = new CopyOnWriteArrayList<>();
    private final AtomicLong number = new AtomicLong();
    private Logger logger;
    private Level former;

    /** Records what is logged under that name, which does not appear elsewhere then. */
    void attach(String name) {
        logger = (Logger) LoggerFactory.getLogger(name);
        former = logger.getLevel();
        logger.setLevel(Level.TRACE);
        logger.setAdditive(false);
        start();
        logger.addAppender(this);
    }

    void detach() {
        logger.detachAppender(this);
        logger.setAdditive(true);
        logger.setLevel(former);
    }

    @Override
    protected void append(ILoggingEvent event) {
        event.prepareForDeferredProcessing();
        if (number.incrementAndGet() <= 1000) {
            events.add(event);
        }
    }

    long number() {
        return number.get();
    }

    /** The messages from a level on. */
    List<String> messages(Level least) {
        return events.stream()
                .filter(event -> event.getLevel().isGreaterOrEqual(least))
                .map(ILoggingEvent::getFormattedMessage)
                .toList();
    }

    ILoggingEvent await(String text) {
        Patience.await().alias("logged: " + text).until(() -> find(text).isPresent());
        return find(text).orElseThrow();
    }

    Optional<ILoggingEvent> find(String text) {
        return events.stream()
                .filter(event -> event.getFormattedMessage().contains(text))
                .findFirst();
    }
}
