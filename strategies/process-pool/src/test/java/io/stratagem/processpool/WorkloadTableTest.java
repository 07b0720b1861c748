package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.Workload;
import io.stratagem.testkit.Patience;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import org.junit.jupiter.api.Test;

final class WorkloadTableTest {
    private final WorkloadTable table = new WorkloadTable();
    private final LoaderTable loaders = new LoaderTable(Filters.fromApplication());
    private final Workload<Integer, Integer> workload = Workload.blocking("workload", input -> input);

    private WeakReference<ClassLoader> addWithNewLoader() {
        ClassLoader context = new URLClassLoader(new URL[0]);
        table.add(workload, context, loaders.add(context));
        assertThat(table.find(workload, context)).isNotNull();
        return new WeakReference<>(context);
    }

    @Test
    void find_withoutContext_isNotTheOneWhoseLoaderIsGone() {
        WeakReference<ClassLoader> context = addWithNewLoader();
        Patience.await().until(() -> {
            System.gc();
            return context.refersTo(null);
        });

        assertThat(table.find(workload, null)).isNull();
    }
}
