package billing

import (
	"errors"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// Cents is an amount in minor units of its currency; |c| <= MaxCents.
type Cents int64

// MaxCents is 2^53-1: the largest integer that every JSON client can hold (RFC 8259 §6).
const MaxCents Cents = 1<<53 - 1

// Valid reports whether c is an amount that may be asked for: 0 to MaxCents.
func (c Cents) Valid() bool { return 0 <= c && c <= MaxCents }

// Currency is an ISO 4217 code, three upper-case letters.
type Currency string

// DefaultCurrency is that of an organization and an invoice that say nothing else.
const DefaultCurrency Currency = "USD"

// currencies are the active alphabetic codes of ISO 4217 that have a minor unit.
// Those without one (gold, special drawing rights, test codes) can't carry an
// amount in minor units.
const currencies = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD " +
	"CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP " +
	"GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP " +
	"LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN " +
	"PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT " +
	"TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF XCD XCG XOF XPF YER ZAR ZMW ZWG"

// ParseCurrency reads an active ISO 4217 code. Lower case is another spelling and refused.
func ParseCurrency(text string) (Currency, bool) {
	if len(text) != 3 || strings.Contains(text, " ") || !strings.Contains(currencies, text) {
		return "", false
	}
	return Currency(text), true
}

// Quantity is a decimal of at most six places, in millionths.
type Quantity int64

// One is the quantity 1, and the number of millionths in it.
const One Quantity = 1_000_000

// MaxQuantity is the largest quantity: 9223372036854.775807.
const MaxQuantity Quantity = math.MaxInt64

// quantityPlaces is the number of decimals of a Quantity.
const quantityPlaces = 6

// ErrBadQuantity is what ParseQuantity says of a text that is no quantity.
var ErrBadQuantity = errors.New("not a number of at least 0 with at most 6 decimals")

// ParseQuantity reads the text of a JSON number exactly, without a float on the
// way. It is the value that counts, not the spelling: "1.50", "15e-1" and
// "1.5000000" are all 1.5, and "-0" is 0. A value below 0, with a digit beyond
// the sixth decimal or above MaxQuantity is ErrBadQuantity.
func ParseQuantity(text string) (Quantity, error) {
	mantissa, exponent, scientific := cutAny(text, "eE")
	whole, fraction, pointed := strings.Cut(strings.TrimPrefix(mantissa, "-"), ".")
	if !isDigits(whole) || pointed && !isDigits(fraction) {
		return 0, ErrBadQuantity
	}
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" && (!scientific || isExponent(exponent)) {
		return 0, nil
	}
	shift := quantityPlaces - len(fraction)
	if scientific {
		e, err := strconv.ParseInt(exponent, 10, 32)
		if err != nil {
			return 0, ErrBadQuantity
		}
		shift += int(e)
	}
	if mantissa[0] == '-' {
		return 0, ErrBadQuantity
	}
	return scaled(digits, shift)
}

// scaled is digits × 10^shift as millionths. digits has no leading zero.
func scaled(digits string, shift int) (Quantity, error) {
	const most = 19 // digits of MaxQuantity
	if shift < 0 {
		kept := len(digits) + shift
		if kept <= 0 || strings.Trim(digits[kept:], "0") != "" {
			return 0, ErrBadQuantity
		}
		digits, shift = digits[:kept], 0
	}
	if len(digits)+shift > most {
		return 0, ErrBadQuantity
	}
	n, err := strconv.ParseInt(digits+strings.Repeat("0", shift), 10, 64)
	if err != nil {
		return 0, ErrBadQuantity
	}
	return Quantity(n), nil
}

func cutAny(text, any string) (before, after string, found bool) {
	if i := strings.IndexAny(text, any); i >= 0 {
		return text[:i], text[i+1:], true
	}
	return text, "", false
}

func isDigits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

func isExponent(text string) bool {
	return isDigits(text) || text != "" && (text[0] == '+' || text[0] == '-') && isDigits(text[1:])
}

// String is the shortest decimal that ParseQuantity reads back: "2.5".
func (q Quantity) String() string { return string(q.Append(nil)) }

// Append appends the form of String to b.
func (q Quantity) Append(b []byte) []byte {
	b = strconv.AppendInt(b, int64(q/One), 10)
	rest := int64(q % One)
	if rest == 0 {
		return b
	}
	start := len(b)
	b = strconv.AppendInt(b, rest+int64(One), 10) // the leading 1 keeps the zeros, then becomes the point
	b[start] = '.'
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	return b
}

// LineTotal is q × price, exact, rounded half to even; false above MaxCents.
// Neither may be negative.
func LineTotal(q Quantity, price Cents) (Cents, bool) {
	hi, lo := bits.Mul64(uint64(q), uint64(price))
	if hi >= uint64(One) {
		return 0, false
	}
	total, rest := bits.Div64(hi, lo, uint64(One))
	if twice := 2 * rest; twice > uint64(One) || twice == uint64(One) && total%2 == 1 {
		total++
	}
	return Cents(total), total <= uint64(MaxCents)
}
