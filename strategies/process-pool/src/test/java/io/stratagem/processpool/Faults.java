package io.stratagem.processpool;

import java.io.IOException;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** What a process can do to itself. */
final class Faults {
    private static volatile long sink;

    private Faults() {}

    /** Does not return, except by an exception. */
    enum Way {
        THROW {
            @Override
            void happen() {
                throw new IllegalStateException("thrown on purpose");
            }
        },
        EXIT {
            @Override
            void happen() {
                System.exit(7);
            }
        },
        HALT {
            @Override
            void happen() {
                Runtime.getRuntime().halt(8);
            }
        },
        KILL {
            @Override
            void happen() {
                signal("KILL");
            }
        },
        SEGFAULT {
            @Override
            void happen() {
                segfault();
            }
        },
        ABORT {
            @Override
            void happen() {
                signal("ABRT");
            }
        },
        OUT_OF_MEMORY {
            @Override
            void happen() {
                List<byte[]> all = new ArrayList<>();
                while (all.size() < 1 << 20) {
                    all.add(new byte[1 << 20]);
                }
                throw new AssertionError("there is more memory than allowed: " + all.size() + " MiB");
            }
        },
        HANG {
            @Override
            void happen() {
                while (true) {
                    sink = count(sink);
                }
            }
        },
        /** Until it is interrupted. */
        WAIT {
            @Override
            void happen() {
                WAITING.incrementAndGet();
                try {
                    new CountDownLatch(1).await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                } finally {
                    WAITING.decrementAndGet();
                }
            }
        };

        private static final AtomicInteger WAITING = new AtomicInteger();

        abstract void happen();

        /** Whether a thread of this JVM waits. */
        static boolean isWaiting() {
            return WAITING.get() > 0;
        }
    }

    /** A counted loop of a few seconds. */
    static long count(long from) {
        long sum = from;
        for (int i = 0; i < Integer.MAX_VALUE; i++) {
            sum = sum * 31 + i;
        }
        return sum;
    }

    static int recurse(int depth) {
        return depth < 0 ? 0 : 1 + recurse(depth + 1);
    }

    private static void signal(String name) {
        try {
            new ProcessBuilder("kill", "-" + name, "" + ProcessHandle.current().pid())
                    .start()
                    .waitFor();
            Thread.sleep(60_000); // the signal is on its way
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Writes to where nothing is, as a broken native library does. */
    private static void segfault() {
        try {
            Class<?> type = Class.forName("sun.misc.Unsafe");
            Field field = type.getDeclaredField("theUnsafe");
            field.setAccessible(true);
            type.getMethod("putLong", long.class, long.class).invoke(field.get(null), 0L, 0L);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }
}
