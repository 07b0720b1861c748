package io.stratagem.batchedipc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.stratagem.testkit.Patience;
import io.stratagem.testkit.RacingThreads;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InvalidObjectException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.Iterator;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** In the application itself; {@link SharedCollectionsContract} has the workers. */
@Timeout(Patience.TEST_SECONDS)
final class SharedMapTest {
    private final SharedMap<String, Integer> map = SharedMap.create();

    @Test
    void operations_areThoseOfAConcurrentMap() {
        assertThat(map.put("a", 1)).isNull();
        assertThat(map.put("a", 2)).isEqualTo(1);
        assertThat(map.putIfAbsent("a", 3)).isEqualTo(2);
        assertThat(map.putIfAbsent("b", 4)).isNull();
        assertThat(map.get("b")).isEqualTo(4);
        assertThat(map.getOrDefault("c", 9)).isEqualTo(9);
        assertThat(map.replace("c", 1)).isNull();
        assertThat(map.replace("b", 5)).isEqualTo(4);
        assertThat(map.replace("b", 4, 6)).isFalse();
        assertThat(map.replace("b", 5, 6)).isTrue();
        assertThat(map.remove("b", 5)).isFalse();
        assertThat(map.remove("b", 6)).isTrue();
        assertThat(map.containsKey("b")).isFalse();
        assertThat(map).hasSize(1).isEqualTo(Map.of("a", 2)).hasToString("{a=2}");
        assertThat(map.remove("a")).isEqualTo(2);
        assertThat(map).isEmpty();
    }

    @Test
    void functions_areApplied() {
        assertThat(map.computeIfAbsent("a", key -> 1)).isEqualTo(1);
        assertThat(map.computeIfAbsent("a", key -> 2)).isEqualTo(1);
        assertThat(map.compute("a", (key, value) -> value == null ? 0 : value + 10))
                .isEqualTo(11);
        assertThat(map.computeIfPresent("b", (key, value) -> 1)).isNull();
        assertThat(map.computeIfPresent("a", (key, value) -> value + 1)).isEqualTo(12);
        assertThat(map.merge("a", 5, Integer::sum)).isEqualTo(17);
        assertThat(map.merge("b", 5, Integer::sum)).isEqualTo(5);
        map.replaceAll((key, value) -> value + 1);
        assertThat(map).isEqualTo(Map.of("a", 18, "b", 6));
        assertThat(map.merge("b", 5, (old, given) -> null)).isNull();
        assertThat(map.compute("a", (key, value) -> null)).isNull();
        assertThat(map.compute("a", (key, value) -> null)).isNull();
        assertThat(map).isEmpty();
    }

    @Test
    void compute_whileOthersChangeTheValue_losesNothing() {
        map.put("a", 0);
        assertThat(map.compute("a", (key, value) -> {
                    if (value == 0) {
                        map.put("a", 100);
                    }
                    return value + 1;
                }))
                .isEqualTo(101);
        map.compute("b", (key, value) -> {
            map.putIfAbsent("b", 7);
            return value == null ? 1 : value + 1;
        });
        assertThat(map).containsEntry("b", 8);

        RacingThreads.run(4, () -> {
            for (int i = 0; i < 10_000; i++) {
                map.merge("c", 1, Integer::sum);
            }
        });
        assertThat(map).containsEntry("c", 40_000);
    }

    @Test
    void iterators_goOverACopyAndChangeTheMap() {
        map.put("a", 1);
        map.put("b", 2);
        Iterator<Map.Entry<String, Integer>> entries = map.entrySet().iterator();
        assertThatIllegalStateException().isThrownBy(entries::remove);
        map.put("c", 3);
        while (entries.hasNext()) {
            Map.Entry<String, Integer> entry = entries.next();
            assertThat(entry.getKey()).isNotEqualTo("c");
            if (entry.getKey().equals("a")) {
                entries.remove();
                assertThatIllegalStateException().isThrownBy(entries::remove);
            } else {
                assertThat(entry.setValue(20)).isEqualTo(2);
                assertThat(entry.getValue()).isEqualTo(20);
            }
        }
        assertThat(map).isEqualTo(Map.of("b", 20, "c", 3));
        assertThat(map.values().removeIf(value -> value == 3)).isTrue();
        assertThat(map.keySet()).containsExactly("b");
        map.keySet().clear();
        assertThat(map).isEmpty();
    }

    @Test
    void views_whileOthersReplaceTheValue_removeOnlyWhatTheyHaveSeen() {
        map.put("a", 1);
        Iterator<Map.Entry<String, Integer>> entries = map.entrySet().iterator();
        entries.next();
        map.put("a", 2);
        entries.remove();
        assertThat(map).containsEntry("a", 2);

        map.entrySet().removeIf(entry -> map.put("a", 3) == 2);
        assertThat(map).containsEntry("a", 3);

        map.values().removeIf(value -> map.put("a", 4) == 3);
        assertThat(map).containsEntry("a", 4);

        Iterator<String> keys = map.keySet().iterator();
        keys.next();
        map.put("a", 5);
        keys.remove();
        assertThat(map).as("the key, whatever it has").isEmpty();

        map.put("b", 1);
        assertThat(map.keySet().remove("a")).isFalse();
        assertThat(map.keySet().remove("b")).isTrue();
        assertThat(map).isEmpty();
    }

    @Test
    void entry_thatWasSetThroughItsIterator_isRemovedByIt() {
        map.put("a", 1);
        map.put("b", 1);
        map.entrySet()
                .removeIf(entry -> entry.setValue(2) == 1 && entry.getKey().equals("a"));
        assertThat(map).isEqualTo(Map.of("b", 2));

        map.entrySet().removeIf(entry -> entry.setValue(3) == map.put("b", 4) - 1);
        assertThat(map).as("replaced by others since").isEqualTo(Map.of("b", 4));
    }

    @Test
    @SuppressWarnings("NullAway")
    void nulls_areRefused() {
        assertThatNullPointerException().isThrownBy(() -> map.put(null, 1));
        assertThatNullPointerException().isThrownBy(() -> map.put("a", null));
        assertThatNullPointerException().isThrownBy(() -> map.get(null));
        assertThatNullPointerException().isThrownBy(() -> map.merge("a", null, Integer::sum));
        assertThatNullPointerException().isThrownBy(() -> map.compute(null, (key, value) -> 1));
        assertThatNullPointerException().isThrownBy(() -> map.replace("a", null, 1));
        assertThat(map).isEmpty();
    }

    @Test
    void closed_refusesAllUse() {
        map.put("a", 1);
        map.close();
        map.close();
        assertThatIllegalStateException().isThrownBy(() -> map.get("a")).withMessageContaining("closed");
        assertThatIllegalStateException().isThrownBy(() -> map.put("a", 1));
        assertThatIllegalStateException().isThrownBy(map::size);
        assertThatIllegalStateException().isThrownBy(() -> map.forEach((key, value) -> {}));
        assertThat(map).hasToString("SharedMap[closed]");
    }

    private static byte[] serialised(Object object) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream stream = new ObjectOutputStream(bytes)) {
            stream.writeObject(object);
        }
        return bytes.toByteArray();
    }

    private static Object rebuilt(byte[] bytes) throws IOException, ClassNotFoundException {
        try (ObjectInputStream stream = new ObjectInputStream(new ByteArrayInputStream(bytes))) {
            return stream.readObject();
        }
    }

    @Test
    void handle_whereTheMapIs_leadsToItself() throws Exception {
        assertThat(rebuilt(serialised(map))).isSameAs(map);
        byte[] handle = serialised(map);
        map.close();
        assertThatThrownBy(() -> rebuilt(handle))
                .isInstanceOf(InvalidObjectException.class)
                .hasMessageContaining("open and kept");
    }

    @Test
    void handle_ofAnotherKind_leadsNowhere() throws Exception {
        try (SharedQueue<String> queue = SharedQueue.create()) {
            assertThatThrownBy(() -> rebuilt(serialised(CollectionHandle.ofQueue(map.access.id()))))
                    .isInstanceOf(InvalidObjectException.class);
            assertThatThrownBy(() -> rebuilt(serialised(CollectionHandle.ofMap(queue.access.id()))))
                    .isInstanceOf(InvalidObjectException.class);
        }
    }
}
