package io.stratagem.benchmarks.eventloop;

import io.stratagem.benchmarks.Contest;
import io.stratagem.benchmarks.JavaProgram;
import io.stratagem.benchmarks.Size;
import io.stratagem.benchmarks.Suite;
import io.stratagem.benchmarks.Trial;
import java.util.List;

/** The event loop against other servers. */
public final class EventLoopSuite implements Suite {

    /** Requests in a pass. */
    private static final Size REQUESTS = new Size(200_000, 50_000);

    private static final Size DELAYS = new Size(100_000, 100_000);
    private static final Size TRIVIAL = new Size(1_000_000, 300_000);

    @Override
    public String name() {
        return "eventloop";
    }

    @Override
    public String about() {
        return "the event loop against Netty and a bare selector";
    }

    @Override
    public List<Contest> contests() {
        return List.of(
                echo("echo-100", 1.05),
                echo("echo-1000", 1.12),
                streams("echo-streams-1000", 0.9),
                delays("delays-100k"),
                trivial("map-trivial", 1.5));
    }

    private static Contest echo(String metric, double goal) {
        return Contest.ofLess(metric, "us", trial(metric, Echo.OnHandler.class))
                .peer("netty-epoll", trial(metric, Echo.OnNettyEpoll.class), goal)
                .peer("netty-nio", trial(metric, Echo.OnNettyNio.class), goal)
                .peer("bare-selector", trial(metric, Echo.OnBareSelector.class));
    }

    private static Contest streams(String metric, double goal) {
        return Contest.ofLess(metric, "us", trial(metric, Echo.OnStreams.class))
                .peer("netty-epoll", trial(metric, Echo.OnNettyEpoll.class), goal)
                .peer("netty-nio", trial(metric, Echo.OnNettyNio.class), goal);
    }

    private static Contest delays(String metric) {
        return Contest.ofLess(metric, "ms", JavaProgram.trial(Waits.OnEventLoop.class, metric, "ms", DELAYS))
                .peer("netty-schedule", JavaProgram.trial(Waits.OnNetty.class, metric, "ms", DELAYS));
    }

    private static Contest trivial(String metric, double goal) {
        return Contest.ofLess(metric, "ns", JavaProgram.trial(Waits.OnEventLoop.class, metric, "ns", TRIVIAL))
                .peer("netty-execute", JavaProgram.trial(Waits.OnNetty.class, metric, "ns", TRIVIAL), goal);
    }

    private static JavaProgram trial(String metric, Class<? extends Trial> trial) {
        return JavaProgram.trial(trial, metric, "us", REQUESTS);
    }
}
