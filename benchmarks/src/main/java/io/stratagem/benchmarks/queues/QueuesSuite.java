package io.stratagem.benchmarks.queues;

import io.stratagem.benchmarks.Contest;
import io.stratagem.benchmarks.JavaProgram;
import io.stratagem.benchmarks.Program;
import io.stratagem.benchmarks.Size;
import io.stratagem.benchmarks.Suite;
import java.util.List;

/** Which queue wins as a pool's hand-off: the one taken for ours against the others. */
public final class QueuesSuite implements Suite {

    private static final HandOffQueue OURS = HandOffQueue.MPMC_VAR_HANDLE;

    @Override
    public String name() {
        return "queues";
    }

    @Override
    public String about() {
        return "the hand-off queue of the thread pool against other queues, by JMH";
    }

    @Override
    public List<Contest> contests() {
        return List.of(handOff(1, 1), handOff(1, 2), handOff(2, 2));
    }

    private static Contest handOff(int producers, int consumers) {
        String metric = "hand-off-" + producers + "p" + consumers + "c";
        Contest contest = Contest.ofLess(metric, "ns", program(metric, OURS, producers, consumers));
        for (HandOffQueue queue : HandOffQueue.values()) {
            if (queue != OURS) {
                contest = contest.peer(queue.className(), program(metric, queue, producers, consumers));
            }
        }
        return contest;
    }

    private static Program program(String metric, HandOffQueue queue, int producers, int consumers) {
        return JavaProgram.of(
                HandOffRun.class,
                Size.of(1),
                queue.name(),
                Integer.toString(producers),
                Integer.toString(consumers),
                metric);
    }
}
