package io.stratagem.examples;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** For a JVM that has the module jdk.incubator.vector: in another, to touch this class is an error. */
final class VectorDot {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;

    private VectorDot() {}

    /** The dot product, as many elements at a time as this CPU can. */
    static float dot(float[] a, float[] b) {
        FloatVector sums = FloatVector.zero(SPECIES);
        int i = 0;
        for (; i < SPECIES.loopBound(a.length); i += SPECIES.length()) {
            sums = FloatVector.fromArray(SPECIES, a, i)
                    .mul(FloatVector.fromArray(SPECIES, b, i))
                    .add(sums);
        }
        float sum = sums.reduceLanes(VectorOperators.ADD);
        for (; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    /** How many elements that is. */
    static int lanes() {
        return SPECIES.length();
    }
}
