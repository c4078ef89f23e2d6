package storage

import "strings"

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
