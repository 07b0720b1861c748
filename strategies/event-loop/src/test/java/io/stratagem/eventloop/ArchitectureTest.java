package io.stratagem.eventloop;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "io.stratagem.eventloop", importOptions = DoNotIncludeTests.class)
final class ArchitectureTest {
    @ArchTest
    static void publicTypes_areTheseOnly(JavaClasses all) {
        assertThat(all.stream()
                        .filter(type -> type.getModifiers().contains(JavaModifier.PUBLIC) && type.isTopLevelClass())
                        .map(JavaClass::getSimpleName))
                .as("all else is free to change")
                .containsExactlyInAnyOrder(
                        "EventLoopStrategy",
                        "EventLoopProvider",
                        "Network",
                        "Connection",
                        "Server",
                        "ClientTls",
                        "ServerTls",
                        "ConnectionHandler",
                        "BytesHandler");
    }

    @ArchTest
    static final ArchRule dependencies = classes()
            .should()
            .onlyDependOnClassesThat(resideInAnyPackage(
                    "java..",
                    "javax.net.ssl",
                    "tlschannel..",
                    "io.stratagem",
                    "io.stratagem.spi",
                    "io.stratagem.threadpool",
                    "io.stratagem.eventloop",
                    "org.slf4j..",
                    "com.google.common..",
                    "org.jctools..",
                    "org.jspecify.."));
}
