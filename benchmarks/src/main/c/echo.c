/* An echo server on Linux's epoll, as plain as it can be: one thread, one buffer, no limits of time. It prints its port
 * and ends with its standard input, so with the process that started it. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_EVENTS 1024

static char buffer[65536];

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void watch(int poll, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) < 0) {
        die("epoll_ctl");
    }
}

static int listen_anywhere(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (fd < 0 || bind(fd, (struct sockaddr *) &address, size) < 0 || listen(fd, 1024) < 0
        || getsockname(fd, (struct sockaddr *) &address, &size) < 0) {
        die("listen");
    }
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void accept_all(int poll, int listener) {
    int one = 1;
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        watch(poll, fd);
    }
    if (errno != EAGAIN) {
        die("accept");
    }
}

static void send_back(int fd) {
    ssize_t count = read(fd, buffer, sizeof buffer);
    if (count < 0 && errno == EAGAIN) {
        return;
    }
    if (count <= 0) {
        close(fd);
    } else if (write(fd, buffer, count) != count) {
        die("write"); /* the client has at most one message under way, for which there is room */
    }
}

int main(void) {
    int poll = epoll_create1(0);
    int listener = listen_anywhere();
    struct epoll_event events[MOST_EVENTS];
    watch(poll, listener);
    watch(poll, STDIN_FILENO);
    for (;;) {
        int count = epoll_wait(poll, events, MOST_EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == STDIN_FILENO) {
                return 0;
            }
            if (fd == listener) {
                accept_all(poll, listener);
            } else {
                send_back(fd);
            }
        }
    }
}
