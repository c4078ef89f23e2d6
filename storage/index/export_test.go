package index

// NewOf is an index whose blocks are so small that a few rows are many of them,
// and take every way that a million rows take.
func NewOf(rule Rule, rowsInBlock int) *Index {
	x := New(rule)
	x.blockRows = rowsInBlock
	return x
}
