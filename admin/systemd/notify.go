package systemd

import (
	"fmt"
	"net"
	"strings"
)

// States that systemd is told of (sd_notify(3)).
const (
	Ready    = "READY=1"
	Stopping = "STOPPING=1"
)

// Notify tells the service manager that asked for it, if one did, in which state
// we are. environ is the environment of the process.
func Notify(environ []string, state string) error {
	for _, pair := range environ {
		name, ok := strings.CutPrefix(pair, "NOTIFY_SOCKET=")
		if !ok || name == "" {
			continue
		}
		conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"}) // "@" stands for an abstract one
		if err != nil {
			return fmt.Errorf("notify the service manager: %w", err)
		}
		defer conn.Close()
		if _, err := conn.Write([]byte(state)); err != nil {
			return fmt.Errorf("notify the service manager: %w", err)
		}
	}
	return nil
}
