package chart

import (
	"math"
	"strconv"
	"strings"
)

// maxTicks are so many lines above the one at zero, at most.
const maxTicks = 4

// ticks are round numbers from 0 to the first that is no less than highest, at equal
// steps of 1, 2 or 5 times a power of ten. Requests come whole, and so do steps.
func ticks(highest float64) []float64 {
	step := 1.0
	for i := 0; step*maxTicks < highest; i++ {
		step *= []float64{2, 2.5, 2}[i%3]
	}
	out := []float64{0, step}
	for out[len(out)-1] < highest {
		out = append(out, step*float64(len(out)))
	}
	return out
}

// short is a round number for an axis: 500, 2k, 1.5M.
func short(v float64) string {
	for _, u := range []struct {
		size float64
		name string
	}{{1e18, "E"}, {1e15, "P"}, {1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if v >= u.size {
			return strconv.FormatFloat(v/u.size, 'f', -1, 64) + u.name
		}
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
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
