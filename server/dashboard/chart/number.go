package chart

import (
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// maxTicks are so many lines above the one at zero, at most.
const maxTicks = 4

// most is what a scale can reach, far beyond any number of requests; what is more is
// drawn as that.
const most = 1_000_000_000_000_000_000

// ticks are round numbers from 0 to the first that is no less than highest, at equal
// steps of 1, 2 or 5 times a power of ten.
func ticks(highest uint64) []uint64 {
	highest = min(highest, most)
	step, power := uint64(1), uint64(1)
	for i := 0; step*maxTicks < highest; i++ {
		step = []uint64{2, 5, 10}[i%3] * power
		if i%3 == 2 {
			power *= 10
		}
	}
	out := []uint64{0, step}
	for out[len(out)-1] < highest {
		out = append(out, step*uint64(len(out)))
	}
	return out
}

// share is n/of of size, rounded to the nearest; all of it if n is more than of, and
// nothing of nothing.
func share(size int, n, of uint64) int {
	if of == 0 {
		return 0
	}
	high, low := bits.Mul64(uint64(size), min(n, of))
	low, carry := bits.Add64(low, of/2, 0)
	q, _ := bits.Div64(high+carry, low, of)
	return int(q)
}

// short is a round number for an axis: 500, 2k, 1.5M.
func short(n uint64) string {
	unit, names := uint64(1), "kMGTPE"
	name := ""
	for len(names) > 0 && n >= unit*1000 {
		unit, name, names = unit*1000, names[:1], names[1:]
	}
	text := strconv.FormatUint(n/unit, 10)
	if tenth := n % unit * 10 / unit; tenth != 0 {
		text += "." + strconv.FormatUint(tenth, 10)
	}
	return text + name
}

// Count writes a number with its thousands apart: 1,234,567.
func Count(n uint64) string {
	s := strconv.FormatUint(n, 10)
	var b strings.Builder
	for i, digit := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	return b.String()
}

// sum adds without wrapping around.
func sum(numbers ...uint64) uint64 {
	var total uint64
	for _, n := range numbers {
		if total += n; total < n {
			return math.MaxUint64
		}
	}
	return total
}
