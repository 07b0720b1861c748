package io.stratagem.benchmarks.eventloop;

import java.io.IOException;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;

/** The load for all servers: connections that each send a message, wait for it to come back, and send it again. */
final class EchoClient implements AutoCloseable {
    private static final int MESSAGE_BYTES = 64;

    private final Selector selector;
    private final List<SocketChannel> channels = new ArrayList<>();
    private final ByteBuffer message = ByteBuffer.allocateDirect(MESSAGE_BYTES);
    private final ByteBuffer answer = ByteBuffer.allocateDirect(MESSAGE_BYTES);
    private long unsent;
    private long answered;

    EchoClient(SocketAddress server, int connections) throws IOException {
        selector = Selector.open();
        for (int i = 0; i < connections; i++) {
            SocketChannel channel = SocketChannel.open(server);
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            channel.configureBlocking(false);
            channel.register(selector, SelectionKey.OP_READ, new int[1]);
            channels.add(channel);
        }
    }

    /** Sends so many requests over all connections, and gives how many were answered. */
    long run(int requests) throws IOException {
        unsent = requests;
        answered = 0;
        for (SocketChannel channel : channels) {
            send(channel);
        }
        while (answered < requests) {
            selector.select(this::receive);
        }
        return answered;
    }

    private void send(SocketChannel channel) throws IOException {
        if (unsent == 0) {
            return;
        }
        unsent--;
        message.clear();
        if (channel.write(message) != MESSAGE_BYTES) {
            throw new IOException("the system did not take a small message");
        }
    }

    private void receive(SelectionKey key) {
        SocketChannel channel = (SocketChannel) key.channel();
        int[] received = (int[]) key.attachment();
        try {
            answer.clear().limit(MESSAGE_BYTES - received[0]);
            int count = channel.read(answer);
            if (count < 0) {
                throw new IOException("the server has closed a connection");
            }
            received[0] += count;
            if (received[0] == MESSAGE_BYTES) {
                received[0] = 0;
                answered++;
                send(channel);
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        try {
            for (SocketChannel channel : channels) {
                channel.close();
            }
            selector.close();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
