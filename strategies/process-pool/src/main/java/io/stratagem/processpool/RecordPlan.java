package io.stratagem.processpool;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How the records of a class are taken apart, by their fields as Java serialisation does, and put together, by their
 * canonical constructor.
 */
final class RecordPlan {
    private static final ClassValue<@Nullable RecordPlan> PLANS = new ClassValue<>() {
        @Override
        protected @Nullable RecordPlan computeValue(Class<?> type) {
            return make(type);
        }
    };

    private final Class<?> type;
    private final List<String> names;
    private final MethodHandle[] getters; // (Object) -> Object
    private final MethodHandle constructor; // (Object[]) -> Object

    private RecordPlan(Class<?> type, List<String> names, MethodHandle[] getters, MethodHandle constructor) {
        this.type = type;
        this.names = names;
        this.getters = getters;
        this.constructor = constructor;
    }

    /**
     * The plan, or null if records of this class must go through Java serialisation: they replace themselves, or their
     * module does not open them, or their class has no name to find it by.
     */
    static @Nullable RecordPlan of(Class<?> recordType) {
        return PLANS.get(recordType);
    }

    @SuppressWarnings("AvoidAccessibleObject") // what is not open has no plan
    private static @Nullable RecordPlan make(Class<?> type) {
        RecordComponent[] components = type.getRecordComponents();
        try {
            if (components == null || type.isHidden() || replacesItself(type)) {
                return null;
            }
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            MethodHandle[] getters = new MethodHandle[components.length];
            for (int i = 0; i < components.length; i++) {
                Field field = type.getDeclaredField(components[i].getName());
                field.setAccessible(true);
                getters[i] = lookup.unreflectGetter(field).asType(MethodType.methodType(Object.class, Object.class));
            }
            Class<?>[] types =
                    Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
            Constructor<?> canonical = type.getDeclaredConstructor(types);
            canonical.setAccessible(true);
            MethodHandle constructor = lookup.unreflectConstructor(canonical)
                    .asFixedArity()
                    .asType(MethodType.genericMethodType(types.length))
                    .asSpreader(Object[].class, types.length);
            List<String> names =
                    Arrays.stream(components).map(RecordComponent::getName).toList();
            return new RecordPlan(type, names, getters, constructor);
        } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
            return null;
        }
    }

    private static boolean replacesItself(Class<?> type) {
        return Arrays.stream(type.getDeclaredMethods())
                .filter(method -> method.getParameterCount() == 0)
                .map(Method::getName)
                .anyMatch(name -> name.equals("writeReplace") || name.equals("readResolve"));
    }

    Class<?> type() {
        return type;
    }

    int size() {
        return getters.length;
    }

    String name(int index) {
        return names.get(index);
    }

    @Nullable
    Object get(Object instance, int index) throws Throwable {
        return (Object) getters[index].invokeExact(instance);
    }

    /** May throw whatever the constructor does, and what comes of arguments of wrong types. */
    Object make(@Nullable Object[] components) throws Throwable {
        return (Object) constructor.invokeExact(components);
    }
}
