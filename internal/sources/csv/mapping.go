package csv

import (
	"slices"
	"strconv"
	"strings"

	"rapport/internal/fault"
)

// Field is what a column means.
type Field uint8

// The fields.
const (
	Order    Field = iota // number of the order: lines with one number are one order
	Date                  // when it was placed
	SKU                   // stock code of the product
	Name                  // its name
	Category              // its category
	Quantity              // how many; without the column 1; below zero: returned
	Price                 // of one piece
	Amount                // of the whole line, where the file has no price of one piece
	Customer              // the shop's own number of the customer
	Email
	Phone
	FirstName
	LastName
	Country
	Currency // three letters
	Channel  // where it was sold: web, till …
	numFields
)

// fieldNames are the names by which people map columns.
var fieldNames = [numFields]string{
	"order", "date", "sku", "name", "category", "quantity", "price", "amount", "customer", "email", "phone",
	"first_name", "last_name", "country", "currency", "channel",
}

// String returns the field's name.
func (f Field) String() string {
	if f < numFields {
		return fieldNames[f]
	}
	return "unknown"
}

// known are the names of columns in the exports of shops, as [plain] writes them,
// the surest first.
var known = [numFields][]string{
	Order: {
		"orderid", "ordernumber", "orderno", "order", "invoiceno", "invoicenumber", "invoiceid", "invoice", "ordername", "orderref",
		"orderreference", "transactionid", "transaction", "receiptno", "receiptnumber", "receiptid", "bestellnummer", "rechnungsnummer", "bonnummer", "name",
	},
	Date: {
		"orderdate", "invoicedate", "date", "createdat", "orderedat", "purchasedate", "purchasedat", "processedat", "paidat", "timestamp",
		"orderdatetime", "datetime", "transactiondate", "datecreated", "bestelldatum", "rechnungsdatum", "datum", "time",
	},
	SKU:      {"sku", "lineitemsku", "stockcode", "productsku", "itemsku", "variantsku", "productid", "productcode", "itemcode", "itemid", "articlenumber", "article", "ean", "gtin", "artikelnummer"},
	Name:     {"description", "productname", "lineitemname", "itemname", "product", "producttitle", "title", "item", "productdescription", "artikel", "bezeichnung", "name"},
	Category: {"category", "productcategory", "producttype", "department", "itemcategory", "kategorie"},
	Quantity: {"quantity", "qty", "lineitemquantity", "itemquantity", "units", "pieces", "quantityordered", "menge", "anzahl"},
	Price:    {"unitprice", "price", "lineitemprice", "itemprice", "priceperunit", "unitcost", "productprice", "einzelpreis", "preis"},
	Amount:   {"amount", "lineamount", "linetotal", "lineitemtotal", "total", "revenue", "ordertotal", "ordervalue", "value", "subtotal", "netamount", "betrag", "summe"},
	Customer: {"customerid", "customer", "customernumber", "customerno", "userid", "clientid", "accountid", "memberid", "kundennummer", "kunde"},
	Email:    {"email", "customeremail", "emailaddress", "billingemail", "mail", "useremail", "contactemail"},
	Phone:    {"phone", "phonenumber", "customerphone", "mobile", "billingphone", "telephone", "telefon"},
	FirstName: {
		"firstname", "billingfirstname", "customerfirstname", "givenname", "vorname",
	},
	LastName: {"lastname", "billinglastname", "customerlastname", "familyname", "surname", "nachname"},
	Country:  {"country", "billingcountry", "shippingcountry", "countrycode", "customercountry", "land"},
	Currency: {"currency", "currencycode", "ordercurrency", "waehrung", "währung"},
	Channel:  {"channel", "saleschannel", "source", "sourcename", "store", "shop"},
}

// Mapping says which column holds which field.
type Mapping struct {
	header []string
	column [numFields]int // −1: none
}

// plain writes the name of a column so that spelling does not matter: small
// letters and digits only.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 0x7f {
			return r
		}
		return -1
	}, strings.ToLower(name))
}

// ignore is what a column is mapped to that means nothing here.
const ignore = "-"

// mappingOf maps the columns of a header: first what the caller says (column to
// field), then what the names tell. It is Invalid, with the columns that there
// are, if a column or field does not exist or one that is needed was not found.
func mappingOf(header []string, said map[string]string) (Mapping, error) {
	m := Mapping{header: header}
	for f := range m.column {
		m.column[f] = -1
	}
	taken := make([]bool, len(header))
	names := make([]string, 0, len(said))
	for name := range said {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		i, err := find(header, name)
		if err != nil {
			return m, err
		}
		taken[i] = true
		if said[name] == ignore {
			continue
		}
		f := slices.Index(fieldNames[:], strings.ToLower(strings.TrimSpace(said[name])))
		if f < 0 {
			return m, fault.New(fault.Invalid, strconv.Quote(said[name])+" is not a field; there are "+strings.Join(fieldNames[:], ", ")+", and "+ignore+" for nothing")
		}
		if m.column[f] >= 0 {
			return m, fault.New(fault.Invalid, "two columns are mapped to "+fieldNames[f])
		}
		m.column[f] = i
	}
	written := make([]string, len(header))
	for i, name := range header {
		written[i] = plain(name)
	}
	for f := range numFields {
		for _, name := range known[f] {
			if m.column[f] >= 0 || f == Amount && m.column[Price] >= 0 {
				break
			}
			if i := slices.Index(written, name); i >= 0 && !taken[i] {
				m.column[f], taken[i] = i, true
			}
		}
	}
	return m, m.check()
}

// find returns the place of the column that is named as somebody wrote it.
func find(header []string, name string) (int, error) {
	at := -1
	for i, h := range header {
		if h == name || plain(h) == plain(name) && plain(name) != "" {
			if at >= 0 && header[at] != name && h != name || at >= 0 && header[at] == h {
				return 0, fault.New(fault.Invalid, "two columns are called "+strconv.Quote(h)+": rename one in the file")
			}
			if at < 0 || h == name {
				at = i
			}
		}
	}
	if at < 0 {
		return 0, fault.New(fault.Invalid, "there is no column "+strconv.Quote(name)+"; the file has "+quoteAll(header))
	}
	return at, nil
}

func (m *Mapping) check() error {
	missing := ""
	switch {
	case m.column[Order] < 0:
		missing = "order"
	case m.column[Date] < 0:
		missing = "date"
	case m.column[Price] < 0 && m.column[Amount] < 0:
		missing = "price (or amount)"
	default:
		return nil
	}
	return fault.New(fault.Invalid, "no column was found for the field "+missing+"; the file has "+quoteAll(m.header)+". Say it with --map COLUMN=FIELD")
}

// maxShown bounds the columns that an error names.
const maxShown = 40

func quoteAll(list []string) string {
	var b strings.Builder
	for i, s := range list {
		if i == maxShown {
			b.WriteString(", …")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(clip(s, 60)))
	}
	return b.String()
}

// Column returns the name of the column of a field; empty if the file has none.
func (m Mapping) Column(f Field) string {
	if m.column[f] < 0 {
		return ""
	}
	return m.header[m.column[f]]
}

// String returns the mapping for people: "order=InvoiceNo, date=InvoiceDate …".
func (m Mapping) String() string {
	var parts []string
	for f := range numFields {
		if c := m.Column(f); c != "" {
			parts = append(parts, fieldNames[f]+"="+c)
		}
	}
	return strings.Join(parts, ", ")
}

// Unused returns the columns that no field takes.
func (m Mapping) Unused() []string {
	var list []string
	for i, h := range m.header {
		if !slices.Contains(m.column[:], i) {
			list = append(list, h)
		}
	}
	return list
}

// Header returns the columns of the file in their order.
func (m Mapping) Header() []string { return m.header }

// clip returns at most n bytes of s, whole characters, and a mark if it was longer.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
