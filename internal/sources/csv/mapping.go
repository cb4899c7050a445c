package csv

import (
	"slices"
	"strconv"
	"strings"

	"rapport/internal/fault"
	"rapport/internal/sources/table"
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

// known are the names of columns in the exports of shops, as [table.Plain] writes them,
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
		i, err := table.Find(header, name)
		if err != nil {
			return m, err
		}
		taken[i] = true
		if said[name] == table.Ignore {
			continue
		}
		f := slices.Index(fieldNames[:], strings.ToLower(strings.TrimSpace(said[name])))
		if f < 0 {
			return m, fault.New(fault.Invalid, strconv.Quote(said[name])+" is not a field; there are "+strings.Join(fieldNames[:], ", ")+", and "+table.Ignore+" for nothing")
		}
		if m.column[f] >= 0 {
			return m, fault.New(fault.Invalid, "two columns are mapped to "+fieldNames[f])
		}
		m.column[f] = i
	}
	written := make([]string, len(header))
	for i, name := range header {
		written[i] = table.Plain(name)
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
	return fault.New(fault.Invalid, "no column was found for the field "+missing+"; the file has "+table.QuoteAll(m.header)+". Say it with --map COLUMN=FIELD")
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

// Said returns the mapping as it can be said again, for a file of the same columns.
func (m Mapping) Said() map[string]string {
	said := map[string]string{}
	for f := range numFields {
		if c := m.Column(f); c != "" {
			said[c] = fieldNames[f]
		}
	}
	return said
}

// Header returns the columns of the file in their order.
func (m Mapping) Header() []string { return m.header }

// Fields returns the names of the fields.
func Fields() []string { return slices.Clone(fieldNames[:]) }

// Guess says what each column holds, as far as it can be told: what is missing, or said
// and wrong, is for [Import] to complain of.
func Guess(header []string, said map[string]string) []string {
	m, _ := mappingOf(header, said) // what was mapped before it went wrong is mapped
	list := make([]string, len(header))
	for f := range numFields {
		if i := m.column[f]; i >= 0 {
			list[i] = fieldNames[f]
		}
	}
	for name, field := range said {
		if i, err := table.Find(header, name); err == nil && field == table.Ignore {
			list[i] = table.Ignore
		}
	}
	return list
}
