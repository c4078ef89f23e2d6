package chart

// Outcome is what came of a request.
type Outcome int

// The outcomes, in the order in which bars stack them, the lowest first.
const (
	OK           Outcome = iota // all that is none of the others: 404 and 422, too
	Unauthorized                // 401
	Forbidden                   // 403
	RateLimited                 // 429
	ServerError                 // 5xx
	outcomes
)

var outcomeWords = [outcomes]struct{ class, word string }{
	OK:           {"ok", "Accepted"},
	Unauthorized: {"unauthorized", "401 Unauthorized"},
	Forbidden:    {"forbidden", "403 Forbidden"},
	RateLimited:  {"limited", "429 Too many requests"},
	ServerError:  {"failed", "5xx Server error"},
}

// Outcomes are all of them, in their order.
func Outcomes() []Outcome { return []Outcome{OK, Unauthorized, Forbidden, RateLimited, ServerError} }

// Class is the class that colours it.
func (o Outcome) Class() string { return outcomeWords[o].class }

// String is what a legend calls it.
func (o Outcome) String() string { return outcomeWords[o].word }

// Counts are requests by outcome.
type Counts [outcomes]uint64

// Of is the number with that outcome.
func (c Counts) Of(o Outcome) uint64 { return c[o] }

// Total is how many there are of all outcomes.
func (c Counts) Total() uint64 { return sum(c[:]...) }

// Plus adds others.
func (c Counts) Plus(other Counts) Counts {
	for o := range c {
		c[o] = sum(c[o], other[o])
	}
	return c
}

// String tells them in words: "12 requests (Accepted: 10, 429 Too many requests: 2)".
func (c Counts) String() string {
	total := c.Total()
	if total == 0 {
		return "no requests"
	}
	text := Count(total) + " requests"
	if total == 1 {
		text = "1 request"
	}
	separator := " ("
	for _, o := range Outcomes() {
		if c[o] > 0 {
			text += separator + o.String() + ": " + Count(c[o])
			separator = ", "
		}
	}
	return text + ")"
}
