package io.stratagem.batchedipc;

import io.stratagem.batchedipc.SharedMemory.Means;
import io.stratagem.testkit.RacingThreads;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.LongBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** The other JVM of {@link ArrayProcess}: carries out the commands that come in lines, and answers each with a line. */
final class ArrayMain {
    /** What was opened or made last. */
    private Object shared;

    private ArrayMain() {}

    public static void main(String[] arguments) throws IOException {
        ArrayMain main = new ArrayMain();
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            String answer;
            try {
                answer = main.carryOut(line.split(" "));
            } catch (IOException | ClassNotFoundException | InterruptedException | RuntimeException e) {
                answer = e.getClass().getSimpleName() + ": " + e.getMessage();
            }
            System.out.println(answer.replace('\n', ' '));
        }
    }

    private String carryOut(String... words) throws IOException, ClassNotFoundException, InterruptedException {
        switch (words[0]) {
            case "open" -> shared = SharedMemoryFixture.read(Base64.getDecoder().decode(words[1]));
            case "make" -> shared = make(Passing.valueOf(words[1]), Integer.parseInt(words[2]), Path.of(words[3]));
            case "handle" -> {
                return Base64.getEncoder().encodeToString(SharedMemoryFixture.written(shared));
            }
            case "sum" -> {
                return Long.toString(sum((SharedArray) shared));
            }
            case "set" -> ((SharedArray) shared).setLong(Long.parseLong(words[1]), Long.parseLong(words[2]));
            case "count" -> count((SharedCounter) shared, Integer.parseInt(words[1]));
            case "churn" -> churn(Passing.valueOf(words[1]), Path.of(words[2]));
            case "touch" -> {
                return touch((SharedArray) shared);
            }
            case "cut" -> cut(Path.of(words[1]));
            case "close" -> ((SharedArray) shared).close();
            default -> throw new IllegalArgumentException(words[0]);
        }
        return "ok";
    }

    private static SharedArray make(Passing passing, int length, Path place) {
        SharedArray array = SharedMemoryFixture.array(
                new Means(List.of(place), passing, Mapping.PREFERRED), SharedArray.Type.LONG, length);
        for (int i = 0; i < length; i++) {
            array.setLong(i, i);
        }
        return array;
    }

    /** Uses elements that are not there any more. The JVM may report that a bit later, so each use is repeated on a thread of its own. */
    private static String touch(SharedArray array) throws InterruptedException {
        LongBuffer buffer = array.longs(0, 100_000);
        List<Runnable> uses = List.of(
                () -> array.getLong(99_999),
                () -> array.get(0, new long[100_000]),
                () -> buffer.put(99_999, 1)); // not an atomic step: the interpreter's would crash
        AtomicInteger errors = new AtomicInteger();
        for (Runnable use : uses) {
            Thread thread = new Thread(() -> {
                for (int i = 0; i < 100_000; i++) {
                    use.run();
                }
            });
            thread.setUncaughtExceptionHandler((self, e) -> errors.addAndGet(e instanceof InternalError ? 1 : 0));
            thread.start();
            thread.join();
        }
        return errors + " times InternalError";
    }

    private static void cut(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(5000);
        }
    }

    private static long sum(SharedArray array) {
        long sum = 0;
        for (long i = 0; i < array.length(); i++) {
            sum += array.getLong(i);
        }
        return sum;
    }

    private static void count(SharedCounter counter, int each) {
        RacingThreads.run(2, () -> {
            for (int i = 0; i < each; i++) {
                counter.incrementAndGet();
            }
        });
    }

    /** Makes, passes and closes arrays until it is killed. */
    private static void churn(Passing passing, Path place) {
        System.out.println("ok");
        while (true) {
            try (SharedArray array = make(passing, 1000, place)) {
                SharedMemoryFixture.passed(array).close();
            } catch (IOException | ClassNotFoundException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
