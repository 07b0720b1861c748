/** A module that uses the library. */
module com.example.consumer {
    requires io.stratagem;
}
