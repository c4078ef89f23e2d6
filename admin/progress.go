package admin

import (
	"fmt"
	"io"
	"math/bits"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// redrawEvery keeps a bar from costing more than what it shows.
const redrawEvery = 100 * time.Millisecond

// progressBar draws on stderr while something long runs, if a person sees it.
// finish wipes it.
func (s *shell) progressBar(what string) (progress Progress, finish func()) {
	if !isTerminal(s.stderr) {
		return nil, func() {}
	}
	b := &bar{out: s.stderr, what: what, now: time.Now, columns: columnsOf(s.stderr)}
	b.began = b.now()
	return b.draw, b.wipe
}

// bar is one line that shows how far something is, how fast, and how long it takes.
type bar struct {
	out     io.Writer
	what    string
	now     func() time.Time
	columns func() int // of the terminal, which may change

	mu          sync.Mutex
	began, last time.Time
}

func (b *bar) draw(done, total int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	if done < total && now.Sub(b.last) < redrawEvery {
		return
	}
	b.last = now
	fmt.Fprint(b.out, "\r"+b.line(done, total, now.Sub(b.began), b.columns()-1)+"\x1b[K")
}

func (b *bar) wipe() {
	b.mu.Lock()
	defer b.mu.Unlock()
	fmt.Fprint(b.out, "\r\x1b[K")
}

// line shows as much as fits into wide columns: first how far, then the speed and
// the time left, then a bar in what room there is.
func (b *bar) line(done, total int, took time.Duration, wide int) string {
	parts := []string{b.what, fmt.Sprintf("%s/%s", short(done), short(total))}
	if took >= time.Second && done > 0 {
		speed := share(done, 1000, int(took.Milliseconds()))
		parts = append(parts, short(speed)+"/s")
		if done < total && speed > 0 {
			parts = append(parts, clock((total-done)/speed)+" left")
		}
	}
	text := strings.Join(parts, "  ")
	for len(text) > wide && len(parts) > 1 {
		parts = parts[:len(parts)-1]
		text = strings.Join(parts, "  ")
	}
	if len(text) > wide {
		return text[:max(wide, 0)]
	}
	room := min(40, wide-len(text)-4)
	if room < 10 {
		return text
	}
	full := room
	if total > 0 {
		full = share(min(done, total), room, total)
	}
	return parts[0] + "  [" + strings.Repeat("#", full) + strings.Repeat(".", room-full) + "]" + text[len(parts[0]):]
}

// share is n*of/whole, where of is at most whole or n is; without overflow on the way.
func share(n, of, whole int) int {
	high, low := bits.Mul64(uint64(n), uint64(of))
	quotient, _ := bits.Div64(high, low, uint64(whole))
	return int(quotient)
}

// short is a count in three digits: 950, 12.3k, 4.56M.
func short(n int) string {
	for _, unit := range []struct {
		size int
		name string
	}{{1_000_000_000_000, "T"}, {1_000_000_000, "G"}, {1_000_000, "M"}, {1_000, "k"}} {
		if n < unit.size {
			continue
		}
		whole, rest := min(n/unit.size, 999), n%unit.size*100/unit.size // hundredths
		text := fmt.Sprintf("%d.%02d", whole, rest)
		text = text[:max(4, len(fmt.Sprint(whole)))] // three digits and a point
		return strings.TrimRight(strings.TrimRight(text, "0"), ".") + unit.name
	}
	return fmt.Sprint(n)
}

// clock is a number of seconds as 0:07, 12:34 or 1:02:03.
func clock(s int) string {
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// columnsOf asks the terminal w how wide it is; 80 where it does not know.
func columnsOf(w io.Writer) func() int {
	return func() int {
		if f, ok := w.(*os.File); ok {
			if size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ); err == nil && size.Col > 0 {
				return int(size.Col)
			}
		}
		return screenWidth
	}
}
