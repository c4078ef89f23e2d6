package admin

import (
	"errors"
	"math"
	"net"

	"golang.org/x/sys/unix"
)

// lengthenQueue lets as many callers wait to be accepted as the system permits
// (listen(2)). Go reads how many that are from /proc/sys; a service that must not see
// it, as by ProcSubset=pid of systemd, would be left with 128.
func lengthenQueue(l *net.TCPListener) error {
	raw, err := l.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = unix.Listen(int(fd), math.MaxUint16) })
	return errors.Join(err, failed)
}
