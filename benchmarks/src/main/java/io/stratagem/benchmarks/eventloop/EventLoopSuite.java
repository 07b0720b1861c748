package io.stratagem.benchmarks.eventloop;

import io.stratagem.benchmarks.Contest;
import io.stratagem.benchmarks.JavaProgram;
import io.stratagem.benchmarks.JavaWithServer;
import io.stratagem.benchmarks.PythonProgram;
import io.stratagem.benchmarks.Size;
import io.stratagem.benchmarks.Suite;
import io.stratagem.benchmarks.Trial;
import io.stratagem.eventloop.Timers;
import java.util.List;

/** The event loop against other servers and clients, and against threads. */
public final class EventLoopSuite implements Suite {

    /** Requests in a pass. */
    private static final Size REQUESTS = new Size(200_000, 50_000);

    private static final Size DELAYS = new Size(100_000, 100_000);
    private static final Size TRIVIAL = new Size(1_000_000, 300_000);
    private static final Size TIMERS = Size.of(100_000);
    private static final Size PAGES = Size.of(1_000);

    /** 105 ms for each page. */
    private static final Size FEW_PAGES = new Size(50, 10);

    private static final int HAS_VIRTUAL_THREADS = 21;
    private static final String EPOLL = "netty-epoll";
    private static final String NIO = "netty-nio";

    @Override
    public String name() {
        return "eventloop";
    }

    @Override
    public String about() {
        return "the event loop against Netty, Vert.x, a selector, C, asyncio, virtual threads, the JDK's HttpClient";
    }

    @Override
    public List<Contest> contests() {
        return List.of(
                echo("echo-100", 1.05),
                echoOfAll("echo-1000"),
                streams("echo-streams-1000"),
                delays("delays-100k"),
                delayBytes("delay-bytes"),
                trivial("map-trivial"),
                timers("timers-limits"),
                timers("timers-delays"),
                downloads("downloads"));
    }

    private static Contest echo(String metric, double goal) {
        return againstNetty(metric, Echo.OnHandler.class, goal)
                .peer("bare-selector", trial(metric, Echo.OnBareSelector.class));
    }

    private static Contest echoOfAll(String metric) {
        JavaProgram inC = trial(metric, EchoPeers.InC.class);
        JavaProgram inPython = trial(metric, EchoPeers.InPython.class);
        JavaProgram virtual = trial(metric, EchoPeers.OnVirtualThreads.class).onNewestJdk(HAS_VIRTUAL_THREADS);
        return echo(metric, 1.12)
                .peer("c-epoll", JavaWithServer.inC(inC, "echo.c"), 0.75)
                .peer("vertx", trial(metric, EchoPeers.OnVertx.class), 1.2)
                .peer("virtual-threads", virtual, 1.4)
                .peer("asyncio-protocol", JavaWithServer.inPython(inPython, "echo.py", "protocol"), 1.3);
    }

    private static Contest streams(String metric) {
        JavaProgram inPython = trial(metric, EchoPeers.InPython.class);
        return againstNetty(metric, Echo.OnStreams.class, 0.9)
                .peer("asyncio-streams", JavaWithServer.inPython(inPython, "echo.py", "streams"), 2);
    }

    private static Contest againstNetty(String metric, Class<? extends Trial> ours, double goal) {
        return Contest.ofLess(metric, "us", trial(metric, ours))
                .peer(EPOLL, trial(metric, Echo.OnNettyEpoll.class))
                .peer(NIO, trial(metric, Echo.OnNettyNio.class))
                .bestOf("netty", goal, EPOLL, NIO);
    }

    private static Contest delays(String metric) {
        return Contest.ofLess(metric, "ms", JavaProgram.trial(Waits.OnEventLoop.class, metric, "ms", DELAYS))
                .peer("netty-schedule", JavaProgram.trial(Waits.OnNetty.class, metric, "ms", DELAYS))
                .peer("asyncio", PythonProgram.of("eventloop.py", DELAYS, "delays", metric, "ms"), 8);
    }

    private static Contest delayBytes(String metric) {
        return Contest.ofLess(metric, "B", JavaProgram.of(DelayBytes.class, DELAYS, metric))
                .peer("asyncio", PythonProgram.of("eventloop.py", DELAYS, "delay-bytes", metric, "B"), 4);
    }

    private static Contest trivial(String metric) {
        return Contest.ofLess(metric, "ns", JavaProgram.trial(Waits.OnEventLoop.class, metric, "ns", TRIVIAL))
                .peer("netty-execute", JavaProgram.trial(Waits.OnNetty.class, metric, "ns", TRIVIAL), 1.5);
    }

    private static Contest timers(String metric) {
        return Contest.ofLess(metric, "ns", JavaProgram.trial(Timers.InWheel.class, metric, "ns", TIMERS))
                .peer("netty-heap", JavaProgram.trial(Timers.InNettyHeap.class, metric, "ns", TIMERS))
                .peer("PriorityQueue", JavaProgram.trial(Timers.InPriorityQueue.class, metric, "ns", TIMERS));
    }

    private static Contest downloads(String metric) {
        return Contest.ofLess(metric, "ms", downloads(metric, Downloads.OnEventLoop.class, PAGES))
                .peer("one-thread", downloads(metric, Downloads.OnOneThread.class, FEW_PAGES), 100)
                .peer(
                        "virtual-threads",
                        downloads(metric, Downloads.OnVirtualThreads.class, PAGES)
                                .onNewestJdk(HAS_VIRTUAL_THREADS),
                        0.95)
                .peer("HttpClient", downloads(metric, Downloads.OnHttpClient.class, PAGES));
    }

    private static JavaProgram downloads(String metric, Class<? extends Trial> trial, Size pages) {
        return JavaProgram.trial(trial, metric, "ms", pages);
    }

    private static JavaProgram trial(String metric, Class<? extends Trial> trial) {
        return JavaProgram.trial(trial, metric, "us", REQUESTS);
    }
}
