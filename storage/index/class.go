package index

// class is all that a row has in the columns of few values. Rows are counted by
// it, so that a filter on these columns need not look at rows.
type class struct {
	stored, reads, method uint8 // reads: the status at the table's day
	currency              uint32
}

// classes numbers the classes and counts their rows. Number 0 is that of no row.
type classes struct {
	codes  map[class]uint16
	list   []class
	counts []int
	sums   []Amount
}

func newClasses() classes {
	return classes{codes: map[class]uint16{}, list: make([]class, 1), counts: make([]int, 1), sums: make([]Amount, 1)}
}

// code is the number of a class. Statuses, methods and currencies are few, so
// that their combinations are; more than fit are a mistake of the caller.
func (c *classes) code(k class) uint16 {
	if code, known := c.codes[k]; known {
		return code
	}
	code := uint16(len(c.list))
	if int(code) != len(c.list) {
		panic("index: more than 65,535 combinations of status, method and currency")
	}
	c.codes[k] = code
	c.list, c.counts, c.sums = append(c.list, k), append(c.counts, 0), append(c.sums, Amount{})
	return code
}

func (c *classes) add(code uint16, total int64) {
	c.counts[code]++
	c.sums[code] = c.sums[code].Add(total)
}

func (c *classes) drop(code uint16, total int64) {
	c.counts[code]--
	c.sums[code] = c.sums[code].sub(total)
}

// slots is how many counts a block of rows has: one for each of the classes that
// came first, and the last for all others.
const slots = 64

func slotOf(code uint16) int { return min(int(code), slots) - 1 }

// classSet is a set of classes.
type classSet struct {
	has   []bool  // by code
	slots []uint8 // whose classes are in the set, all or some
	mixed bool    // the last slot has classes in the set and others
	rows  int     // that the table has of them
}

// set has the classes that pass and of which there are rows.
func (c *classes) set(passes func(code uint16, k class) bool) classSet {
	s := classSet{has: make([]bool, len(c.list))}
	last := make([]bool, 2) // whether the last slot has classes outside, and inside
	for code := 1; code < len(c.list); code++ {
		if c.counts[code] == 0 {
			continue
		}
		in := passes(uint16(code), c.list[code])
		if in {
			s.has[code] = true
			s.rows += c.counts[code]
		}
		switch slot := slotOf(uint16(code)); {
		case slot == slots-1:
			last[bit(in)] = true
		case in:
			s.slots = append(s.slots, uint8(slot))
		}
	}
	if last[1] {
		s.slots = append(s.slots, slots-1)
	}
	s.mixed = last[0] && last[1]
	return s
}

// count is how many rows of a block are in the set; if it is not exact, at most so many.
func (s *classSet) count(b *block) (n int, exact bool) {
	for _, slot := range s.slots {
		if int(slot) < len(b.counts) {
			n += int(b.counts[slot])
		}
	}
	return n, !s.mixed || len(b.counts) < slots || b.counts[slots-1] == 0
}
