package index

// textSearch is a folded text, and the names that it is part of.
type textSearch struct {
	*table
	text          []byte
	parties, kept []bool // by code
	anyName       bool
}

func (t *table) searchNames(text []byte) *textSearch {
	s := &textSearch{table: t, text: text}
	s.parties, s.kept = s.named(&t.names), s.named(&t.kept)
	return s
}

// named marks the names that have the text in them.
func (s *textSearch) named(names *texts) []bool {
	found := newBitmap(names.len())
	defer found.free()
	names.search(s.text, *found)
	marks := make([]bool, names.len())
	found.each(func(code uint32) { marks[code], s.anyName = true, true })
	return marks
}

// shows reports whether the row has the text in its number or client.
func (s *textSearch) shows(n uint32) bool { return s.showsName(n) || s.numbers.holds(n, s.text) }

func (s *textSearch) showsName(n uint32) bool {
	if kept := s.client.at(n); kept != 0 {
		return s.kept[kept]
	}
	return s.parties[s.party.at(n)]
}

// mark marks all rows that show the text, and maybe free places too.
func (s *textSearch) mark(rows bitmap) {
	s.numbers.search(s.text, rows)
	if !s.anyName {
		return
	}
	for at, kept := range s.client.blocks {
		parties, words := s.party.blocks[at], rows.wordsOf(at, len(kept))
		for i, code := range kept {
			shows := s.kept[code]
			if code == 0 {
				shows = s.parties[parties[i]]
			}
			words[i>>6] |= bit(shows) << (i & 63)
		}
	}
}
