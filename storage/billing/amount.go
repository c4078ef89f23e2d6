package billing

import (
	"fmt"
	"strconv"
	"strings"
)

// Currencies whose minor unit is not a hundredth (ISO 4217, list one).
const (
	withoutMinor = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
	thousandths  = "BHD IQD JOD KWD LYD OMR TND"
	tenthousands = "CLF UYW"
)

// MinorDigits is the number of decimals of an amount in c: 2 for most, 0 for JPY.
func (c Currency) MinorDigits() int {
	switch {
	case c == "":
		return 2
	case strings.Contains(withoutMinor, string(c)):
		return 0
	case strings.Contains(thousandths, string(c)):
		return 3
	case strings.Contains(tenthousands, string(c)):
		return 4
	}
	return 2
}

// ParseAmount reads an amount as people write it, "123.45", exactly and without a
// float on the way. It has at most the decimals that the currency has, a point
// before them and no other mark: a comma means one thing here and another there.
// reason says why a text is refused; it is empty otherwise.
func ParseAmount(text string, c Currency) (amount Cents, reason string) {
	digits := c.MinorDigits()
	whole, fraction, pointed := strings.Cut(text, ".")
	switch {
	case !isDigits(whole) || pointed && !isDigits(fraction):
		return 0, "must be a number such as " + Cents(12345).Format(c)
	case len(fraction) > digits:
		return 0, fmt.Sprintf("has more than the %d decimals of %s", digits, c)
	}
	all := strings.TrimLeft(whole+fraction+strings.Repeat("0", digits-len(fraction)), "0")
	if len(all) > len(strconv.FormatInt(int64(MaxCents), 10)) {
		return 0, tooMuch(c)
	}
	n, err := strconv.ParseInt("0"+all, 10, 64)
	if err != nil || !Cents(n).Valid() {
		return 0, tooMuch(c)
	}
	return Cents(n), ""
}

func tooMuch(c Currency) string { return "is more than " + MaxCents.Format(c) }

// Format is the amount as people read it, without the currency: "123.45".
func (c Cents) Format(in Currency) string {
	digits := in.MinorDigits()
	sign, n := "", int64(c)
	if n < 0 {
		sign, n = "-", -n
	}
	text := fmt.Sprintf("%0*d", digits+1, n)
	if digits == 0 {
		return sign + text
	}
	return sign + text[:len(text)-digits] + "." + text[len(text)-digits:]
}
