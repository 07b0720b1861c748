package io.stratagem;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "io.stratagem", importOptions = DoNotIncludeTests.class)
final class ArchitectureTest {
    @ArchTest
    static void publicTypes_areTheseOnly(JavaClasses all) {
        assertThat(all.stream()
                        .filter(type -> type.getModifiers().contains(JavaModifier.PUBLIC) && type.isTopLevelClass())
                        .map(JavaClass::getName)
                        .map(name -> name.substring("io.stratagem.".length())))
                .as("what is public is for ever: add to this list on purpose only")
                .containsExactlyInAnyOrder(
                        "Action",
                        "AsyncFn",
                        "AutoStrategy",
                        "Choice",
                        "ContextPropagator",
                        "Execution",
                        "ExecutorStrategy",
                        "Fn",
                        "Kind",
                        "Loop",
                        "MapOptions",
                        "Pipeline",
                        "ProfileOptions",
                        "Rejection",
                        "Result",
                        "Results",
                        "RetryPolicy",
                        "Snapshot",
                        "Stratagem",
                        "TaskFailedException",
                        "TaskInfo",
                        "TaskListener",
                        "TaskTimeoutException",
                        "TransferException",
                        "WorkerDiedException",
                        "WorkerFailureException",
                        "Workload",
                        "WorkloadProfile",
                        "spi.AdaptiveSpin",
                        "spi.Batch",
                        "spi.Clock",
                        "spi.Engine",
                        "spi.EngineStrategy",
                        "spi.PipelineRun",
                        "spi.Profile",
                        "spi.ServiceThread",
                        "spi.StrategyBuilder",
                        "spi.StrategyOptions",
                        "spi.StrategyProvider",
                        "spi.TaskLoop",
                        "spi.Worker");
    }

    /** But for the two that are made of it: who chooses asks its providers, and a pipeline is more than one strategy's. */
    @ArchTest
    static final ArchRule apiKnowsNoMachinery = noClasses()
            .that()
            .resideInAPackage("io.stratagem")
            .and()
            .haveNameNotMatching("io\\.stratagem\\.(Stratagem|AutoStrategy|Chooser|Pipeline|Profiler)(\\$.*)?")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.stratagem.spi..");

    @ArchTest
    static final ArchRule dependencies = classes()
            .should()
            .onlyDependOnClassesThat(resideInAnyPackage(
                    "java..",
                    "com.sun.management", // bytes that a thread allocates; jdk.management is optional
                    "io.stratagem..",
                    "org.slf4j..",
                    "com.google.common..",
                    "org.jctools..",
                    "org.jspecify.."));

    @ArchTest
    static final ArchRule thirdPartyTypesStayOutOfTheApi = noClasses()
            .that(not(resideInAnyPackage("io.stratagem.spi..")))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.jctools..", "org.slf4j..");

    @ArchTest
    static final ArchRule noClassIsAUtility =
            noClasses().should().haveSimpleNameEndingWith("Utils").orShould().haveSimpleNameEndingWith("Util");
}
