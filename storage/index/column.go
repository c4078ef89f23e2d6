package index

// column has one value for each row. It grows block by block, so that no row
// that comes has to wait for the others to be copied.
type column[T any] struct{ blocks [][]T }

const (
	columnShift = 12
	columnRows  = 1 << columnShift // in a block
)

func (c *column[T]) at(n uint32) T { return c.blocks[n>>columnShift][n&(columnRows-1)] }

func (c *column[T]) set(n uint32, v T) { c.blocks[n>>columnShift][n&(columnRows-1)] = v }

// add appends a value.
func (c *column[T]) add(v T) {
	last := len(c.blocks) - 1
	if last < 0 || len(c.blocks[last]) == columnRows {
		c.blocks = append(c.blocks, nil)
		last++
	}
	b := c.blocks[last]
	if len(b) == cap(b) {
		size := columnRows
		if last == 0 { // a small organization has small blocks
			size = min(max(8, 2*len(b)), columnRows)
		}
		b = append(make([]T, 0, size), b...)
	}
	c.blocks[last] = append(b, v)
}

// dictionary numbers values in the order of their first appearance.
type dictionary[V comparable] struct {
	codes  map[V]uint32
	values []V
}

func (d *dictionary[V]) code(v V) uint32 {
	if c, known := d.codes[v]; known {
		return c
	}
	if d.codes == nil {
		d.codes = map[V]uint32{}
	}
	c := uint32(len(d.values))
	d.codes[v] = c
	d.values = append(d.values, v)
	return c
}
