package admin

import (
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// queueOf is how many callers may wait at l (struct tcp_info of a listening socket).
func queueOf(t *testing.T, l *net.TCPListener) int {
	t.Helper()
	raw, err := l.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var info *unix.TCPInfo
	var failed error
	if err := raw.Control(func(fd uintptr) { info, failed = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) }); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	return int(info.Sacked)
}

func TestQueueOfCallersIsAsLongAsTheSystemPermits(t *testing.T) {
	text, err := os.ReadFile("/proc/sys/net/core/somaxconn")
	if err != nil {
		t.Skipf("the system does not say how long: %v", err)
	}
	most, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "listener")
	defer f.Close()
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 7); err != nil {
		t.Fatal(err)
	}
	l, err := net.FileListener(f)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	tcp := l.(*net.TCPListener)
	if got := queueOf(t, tcp); got != 7 {
		t.Fatalf("%d callers may wait, want 7 to begin with", got)
	}
	if err := lengthenQueue(tcp); err != nil {
		t.Fatal(err)
	}
	if got := queueOf(t, tcp); got != min(most, 65535) {
		t.Errorf("%d callers may wait, want %d", got, most)
	}
}
