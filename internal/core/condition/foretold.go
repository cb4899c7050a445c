package condition

import "strings"

// Foretold is what a model says of customers, for people.
type Foretold struct {
	Name  string // one that ends in a dot stands before what it is about
	Label Words  // follows "the"; %s stands for what it is about
	Unit  string // of its value: share, money, orders, days, date, hour (of the week, from Monday at midnight), times, rfm, or empty: a text
}

// ForetoldNames are the predictions that have words.
var ForetoldNames = []Foretold{
	{"p_alive", Words{"chance of still being a customer", "Chance, noch Kunde zu sein"}, "share"},
	{"orders_90d", Words{"number of orders expected in 90 days", "Zahl der in 90 Tagen erwarteten Bestellungen"}, "orders"},
	{"clv", Words{"expected value of the next year", "erwarteter Wert des nächsten Jahres"}, "money"},
	{"next_order", Words{"expected day of the next order", "erwarteter Tag der nächsten Bestellung"}, "date"},
	{"aov", Words{"average value of an order", "durchschnittlicher Wert einer Bestellung"}, "money"},
	{"days_between_orders", Words{"number of days between two orders", "Zahl der Tage zwischen zwei Bestellungen"}, "days"},
	{"rfm", Words{"place by recency, frequency and money", "Platz nach Kürzlichkeit, Häufigkeit und Umsatz"}, ""},
	{"erfm", Words{"place by engagement, recency, frequency and money", "Platz nach Beteiligung, Kürzlichkeit, Häufigkeit und Umsatz"}, ""},
	{"rfm_persona", Words{"kind of customer by RFM", "Art des Kunden nach RFM"}, "rfm"},
	{"persona", Words{"kind of customer", "Art des Kunden"}, ""},
	{"intent", Words{"chance that the visit ends in an order", "Chance, dass der Besuch in einer Bestellung endet"}, "share"},
	{"need.", Words{"expected day of needing %s again", "erwarteter Tag, an dem %s wieder gebraucht wird"}, "date"},
	{"best_hour.", Words{"best hour by %s", "beste Stunde per %s"}, "hour"},
	{"channel_affinity.", Words{"readiness to answer by %s, beside others", "Bereitschaft, per %s zu antworten, neben anderen"}, "times"},
	{"rhythm.", Words{"rhythm by %s", "Rhythmus nach %s"}, ""},
	{"occasion.", Words{"chance of the occasion %s", "Chance des Anlasses %s"}, "share"},
}

// SayPrediction returns what a model says under a name, in words, and the unit of its
// values. A name of which nothing is known is said as it is.
func SayPrediction(name string) (label Words, unit string) {
	for i := range ForetoldNames {
		f := &ForetoldNames[i]
		about, is := strings.CutPrefix(name, f.Name)
		if !is || strings.HasSuffix(f.Name, ".") == (about == "") {
			continue
		}
		label, unit = f.Label, f.Unit
		if occasion, is := strings.CutSuffix(about, ".start"); is && f.Name == "occasion." {
			about, label, unit = occasion, Words{"beginning of the occasion %s", "Beginn des Anlasses %s"}, "date"
		} else if occasion, is := strings.CutSuffix(about, ".end"); is && f.Name == "occasion." {
			about, label, unit = occasion, Words{"end of the occasion %s", "Ende des Anlasses %s"}, "date"
		}
		about = strings.ReplaceAll(about, ".", ", ")
		return Words{strings.Replace(label.EN, "%s", about, 1), strings.Replace(label.DE, "%s", about, 1)}, unit
	}
	return Words{sayName(name), sayName(name)}, ""
}

// PredictionOf returns the name of what is said in English: the other way round, for
// predictions that are about one thing. Every other text is a name.
func PredictionOf(said string) string {
	for i := range ForetoldNames {
		if f := &ForetoldNames[i]; f.Label.EN == said {
			return f.Name
		}
	}
	return said
}
