package admin

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
)

// healthPatience is how long healthcheck waits: what asks it, asks again soon.
const healthPatience = 3 * time.Second

func (s *shell) statusCommand() *cli.Command {
	return s.command(spec{
		name: "status", usage: "tell how a running server is",
		about: "One line says whether all is well, the rest what there is and what it does.\n" +
			"Counts run since the server was started.",
		examples: "exante status\nexante status --json --data-dir /var/lib/exante",
		codes:    []int{exitUnreachable},
		run:      func(ctx context.Context, _ *cli.Context) error { return s.runStatus(ctx) },
	})
}

func (s *shell) healthcheckCommand() *cli.Command {
	return s.command(spec{
		name: "healthcheck", usage: "ask a running server whether it takes requests",
		about: "For Docker and for monitoring. It asks on the admin socket and waits 3 seconds at\n" +
			"most, whatever the port of the API suffers from. Exit code 0 says ready, 1 that\n" +
			"it answers and is not, and why. One that is degraded, by a full disk for example,\n" +
			"takes requests: that is 0, and standard error names what it lacks.",
		examples: "exante healthcheck --data-dir /var/lib/exante",
		codes:    []int{exitUnreachable},
		run:      func(ctx context.Context, _ *cli.Context) error { return s.runHealthcheck(ctx) },
	})
}

// server is the server that runs on the configuration's store.
func (s *shell) server(patience time.Duration) (Remote, error) {
	path := s.config.SocketPath()
	up, err := serverAt(path)
	if err == nil && !up {
		err = fmt.Errorf("%w: nobody listens on %s", errNoServer, path)
	}
	return NewRemote(path, patience), err
}

func (s *shell) runHealthcheck(ctx context.Context) error {
	server, err := s.server(healthPatience)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, healthPatience)
	defer cancel()
	h, err := server.Health(ctx)
	if ctx.Err() == context.DeadlineExceeded {
		return fmt.Errorf("%w within %v", errUnreachable, healthPatience)
	}
	if err != nil {
		return err
	}
	if s.json {
		err = s.printJSON(h)
	} else if h.Healthy {
		_, err = fmt.Fprintln(s.stdout, h.State)
		for _, trouble := range h.Degraded {
			s.tell("it is degraded: %s", troubles[trouble])
		}
	}
	if err == nil && !h.Healthy {
		err = fmt.Errorf("%w: %s", errUnhealthy, h.Reason)
	}
	return err
}

func (s *shell) runStatus(ctx context.Context) error {
	server, err := s.server(serverPatience)
	if err != nil {
		return err
	}
	status, err := server.Status(ctx)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(status)
	}
	return status.print(s.stdout)
}

// print writes the status for a person: what matters first, then by subject.
func (st *Status) print(w io.Writer) error {
	head := "all is well"
	if len(st.Notices) > 0 {
		head = "attention:\n  " + strings.Join(st.Notices, "\n  ")
	}
	if _, err := fmt.Fprintln(w, head); err != nil {
		return err
	}
	for _, group := range []struct {
		title string
		pairs [][2]string
	}{{"server", st.serverLines()}, {"data", st.dataLines()}, {"backups", st.Backups.lines()}, {"keys", st.keyLines()}, {"since the start", st.workLines()}} {
		if _, err := fmt.Fprintf(w, "\n%s\n", strings.ToUpper(group.title)); err != nil {
			return err
		}
		if err := fields(indented{w}, group.pairs); err != nil {
			return err
		}
	}
	return nil
}

func (st *Status) serverLines() [][2]string {
	tls := "off"
	if st.CertificateTo != nil {
		tls = "on, certificate until " + *st.CertificateTo
	}
	return [][2]string{
		{"state", st.State},
		{"version", st.Version + ", " + st.Environment},
		{"running", fmt.Sprintf("%s, since %s, process %d", span(time.Duration(st.UptimeSeconds)*time.Second), st.StartedAt, st.PID)},
		{"listens on", strings.Join(st.Listen, ", metrics on ")},
		{"TLS", tls},
		{"memory", fmt.Sprintf("%s resident, %s in use", size(st.RSSBytes), size(st.HeapBytes))},
	}
}

func (st *Status) dataLines() [][2]string {
	d := st.Data
	return [][2]string{
		{"directory", d.Dir},
		{"on the disk", fmt.Sprintf("%s: tables %s, log %s; %s free", size(d.Bytes), size(d.TableBytes), size(d.LogBytes), size(d.FreeBytes))},
		{"records", fmt.Sprintf("organizations %d, users %d, invoices %d", d.Organizations, d.Users, d.Invoices)},
		{"sequence", fmt.Sprintf("%d, %d audit records", d.Sequence, d.AuditRecords)},
	}
}

func (st *Status) keyLines() [][2]string {
	k := st.Keys
	return [][2]string{
		{"usable", fmt.Sprintf("%d active, %d retiring", k.Active, k.Retiring)},
		{"ended", fmt.Sprintf("%d expired, %d revoked", k.Expired, k.Revoked)},
		{"ending", fmt.Sprintf("%d within 7 days, %d within 30", k.ExpiringIn7Days, k.ExpiringIn30Days)},
	}
}

func (st *Status) workLines() [][2]string {
	g := st.Argon2
	lines := append(counts("answered", st.Requests, true), counts("refused", st.Refusals, false)...)
	return append(lines, [][2]string{
		{"open now", fmt.Sprintf("%d connections, %d requests", st.Conns, st.InFlight)},
		{"body cache", st.Bodies.ratio() + ", " + size(st.Bodies.Bytes)},
		{"key cache", st.Verified.ratio()},
		{"argon2", fmt.Sprintf("%d runs; now %d of %d slots, %d of %d waiting", g.Runs, g.Busy, g.Slots, g.Waiting, g.Queue)},
	}...)
}

func (c CacheStatus) ratio() string {
	all := c.Hits + c.Misses
	if all == 0 {
		return "not asked yet"
	}
	permille := c.Hits * 1000 / all
	return fmt.Sprintf("%d.%d %% of %d were hits", permille/10, permille%10, all)
}

// counts is "2xx 17, 4xx 3", five to a line; without zeros, what is not there is
// left out.
func counts(label string, of map[string]uint64, zeros bool) (lines [][2]string) {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(of)) {
		if zeros || of[name] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", name, of[name]))
		}
	}
	if len(parts) == 0 {
		parts = []string{"none"}
	}
	for some := range slices.Chunk(parts, 5) {
		lines = append(lines, [2]string{label, strings.Join(some, ", ")})
		label = ""
	}
	return lines
}

// size is a number of bytes for a person.
func size[T int64 | uint64](n T) string {
	const units = "KMGT"
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	i := 0
	for n >= 1<<20 && i < len(units)-1 {
		n, i = n>>10, i+1
	}
	return fmt.Sprintf("%d.%d %ciB", n>>10, n%1024*10/1024, units[i])
}

// indented moves what is written two columns in.
type indented struct{ to io.Writer }

func (i indented) Write(p []byte) (int, error) {
	text := "  " + strings.ReplaceAll(strings.TrimSuffix(string(p), "\n"), "\n", "\n  ") + "\n"
	_, err := io.WriteString(i.to, text)
	return len(p), err
}
