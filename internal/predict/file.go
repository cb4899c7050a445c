package predict

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"rapport/internal/core/insight/value"
	"rapport/internal/fault"
	"rapport/internal/sources/table"
)

// The fields of a file of orders. A row is an order or a line of one: rows of one
// customer and day are added up.
const (
	fieldCustomer = "customer"
	fieldDate     = "date"
	fieldSum      = "sum"
	fieldPrice    = "price" // of one piece, with a quantity
	fieldQuantity = "quantity"
)

var fileFields = []string{fieldCustomer, fieldDate, fieldSum, fieldPrice, fieldQuantity}

var fileNames = map[string][]string{
	fieldCustomer: {"customer", "customerid", "customerno", "customernumber", "cust", "custid", "clientid", "client", "userid", "user", "memberid", "householdkey", "householdid", "id", "email", "customeremail", "masterid"},
	fieldDate:     {"date", "orderdate", "invoicedate", "purchasedate", "transactiondate", "datetime", "timestamp", "createdat", "orderedat", "transdate", "time", "day"},
	fieldSum:      {"sum", "amount", "revenue", "total", "totalprice", "ordertotal", "value", "ordervalue", "dollarvalue", "dollars", "spend", "sales", "salesvalue", "salesamount", "net", "monetary", "monetaryvalue", "subtotal"},
	fieldPrice:    {"unitprice", "price", "itemprice"},
	fieldQuantity: {"quantity", "qty", "units"},
}

// Orders are the orders of a file.
type Orders struct {
	Shoppers []Shopper // by name
	First    int       // day of the first order
	Last     int
	Rows     int
	Nobodys  int    // rows without a customer
	Columns  string // which column was taken for what
}

// FileOptions say how a file is to be understood.
type FileOptions struct {
	Map   map[string]string // column → field; default: by their names
	Dates table.DateOrder
	// Decimal is the mark before decimal places. Default: a point.
	Decimal byte
}

// ReadOrders reads a file of orders: a table with the names of its columns, or
// columns apart by blanks with or without names, as the CDNOW sets have. It may
// be packed. A row that cannot be understood ends it with its line and reason: a
// fit on a part of the orders would look like one on all.
func ReadOrders(r io.Reader, o FileOptions) (*Orders, error) {
	if o.Decimal == 0 {
		o.Decimal = '.'
	}
	opened, err := table.Open(r)
	if err != nil {
		return nil, err
	}
	b := &orderRows{o: o, people: map[string]*fileShopper{}, dates: table.Dates{Zone: time.UTC, Order: o.Dates}}
	if blanks(opened.Sample) {
		err = b.blanks(opened)
	} else {
		err = b.table(opened)
	}
	if err != nil {
		return nil, err
	}
	return b.orders()
}

// orderRows gathers rows.
type orderRows struct {
	o       FileOptions
	people  map[string]*fileShopper
	dates   table.Dates
	at      [5]int // column of each of fileFields; −1: none
	rows    int
	nobodys int
	columns string
}

type fileShopper struct{ days, refunds []value.Day }

// blanks reports whether a file's first line is columns apart by blanks.
func blanks(sample []byte) bool {
	line, _, _ := bytes.Cut(sample, []byte("\n"))
	return !bytes.ContainsAny(line, ",;\t|{") && len(bytes.Fields(line)) >= 3
}

func (b *orderRows) table(opened *table.Opened) error {
	t, err := table.OpenTable(opened.Text, 0, "")
	if err != nil {
		return err
	}
	c, err := table.MapColumns(t.Header, b.o.Map, fileFields, fileNames)
	if err != nil {
		return err
	}
	if err := b.understand(&c); err != nil {
		return err
	}
	if b.dates.Order == table.AnyOrder {
		var samples [][]byte
		t.Begin(1000, func(fields [][]byte) bool {
			samples = append(samples, bytes.Clone(fields[b.at[1]]))
			return true
		})
		if b.dates.Order, err = dateOrder(samples); err != nil {
			return err
		}
	}
	for {
		rec, err := t.Rows.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return table.Unreadable(err, t.Rows.Line())
		}
		why := rec.Why
		if why == "" && len(rec.Fields) != len(t.Header) {
			why = fmt.Sprintf("%d columns, and the first line names %d", len(rec.Fields), len(t.Header))
		}
		if why == "" {
			why = b.row(rec.Fields)
		}
		if why != "" {
			return fault.New(fault.Invalid, fmt.Sprintf("line %d: %s", rec.Line, why))
		}
	}
}

// dateOrder finds out the order of day and month, unless no date asks for it:
// eight digits in a row do not.
func dateOrder(samples [][]byte) (table.DateOrder, error) {
	samples = slices.DeleteFunc(samples, func(s []byte) bool { _, ok := digits8(s); return ok })
	if len(samples) == 0 {
		return table.AnyOrder, nil
	}
	return table.OrderOf(samples)
}

func (b *orderRows) understand(c *table.Columns) error {
	for i, f := range fileFields {
		b.at[i] = c.At(f)
	}
	for i, f := range fileFields[:2] {
		if b.at[i] < 0 {
			return fault.New(fault.Invalid, "no column is the "+f+"; there are "+table.QuoteAll(c.Header)+"; say which with --map COLUMN="+f)
		}
	}
	b.columns = c.String()
	return nil
}

// blanks reads lines of columns apart by blanks. A first line without a date names
// them; else the first column is the customer, the one that holds eight digits of a
// date the date, and the last the sum.
func (b *orderRows) blanks(opened *table.Opened) error {
	width := 0
	for n := 1; ; n++ {
		line, err := opened.Text.ReadSlice('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return table.Unreadable(err, int64(n))
		}
		fields := bytes.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if n == 1 {
			width = len(fields)
			if named, err := b.shape(fields); err != nil || named {
				if err != nil {
					return err
				}
				continue
			}
		}
		why := ""
		if len(fields) != width {
			why = fmt.Sprintf("%d columns, and the first line has %d", len(fields), width)
		} else {
			why = b.row(fields)
		}
		if why != "" {
			return fault.New(fault.Invalid, fmt.Sprintf("line %d: %s", n, why))
		}
	}
}

// shape finds the columns by the first line, and reports whether it names them.
func (b *orderRows) shape(fields [][]byte) (named bool, err error) {
	at := slices.IndexFunc(fields, func(f []byte) bool { _, ok := digits8(f); return ok })
	if at < 0 {
		header := make([]string, len(fields))
		for i, f := range fields {
			header[i] = string(f)
		}
		c, err := table.MapColumns(header, b.o.Map, fileFields, fileNames)
		if err != nil {
			return true, err
		}
		return true, b.understand(&c)
	}
	if at == 0 || at == len(fields)-1 {
		return false, fault.New(fault.Invalid, "line 1: a customer before the date and a sum at the end are expected")
	}
	b.at = [5]int{0, at, len(fields) - 1, -1, -1}
	b.columns = fmt.Sprintf("customer=column 1, date=column %d, sum=column %d", at+1, len(fields))
	return false, nil
}

// digits8 reads a day written as eight digits.
func digits8(b []byte) (int, bool) {
	if len(b) != 8 {
		return 0, false
	}
	t, err := time.Parse("20060102", string(b))
	if err != nil {
		return 0, false
	}
	return dayNumber(t.Date()), true
}

// The most that is read: more customers than the largest retailers have, and sums
// that a float adds up to the cent.
const maxFileRows = 200_000_000

// row takes one row in, or says what is wrong with it.
func (b *orderRows) row(fields [][]byte) string {
	if b.rows++; b.rows > maxFileRows {
		return "more than " + strconv.Itoa(maxFileRows) + " rows"
	}
	get := func(i int) []byte {
		if b.at[i] < 0 {
			return nil
		}
		return bytes.TrimSpace(fields[b.at[i]])
	}
	name := string(get(0))
	if name == "" {
		b.nobodys++
		return ""
	}
	day, ok := digits8(get(1))
	if !ok {
		t, why := b.dates.Parse(get(1))
		if why != "" {
			return "date: " + why
		}
		day = dayNumber(t.Date())
	}
	sum := 0.0
	quantity := int64(1000)
	if q := get(4); q != nil && b.at[2] < 0 {
		n, why := table.Pieces(q, b.o.Decimal)
		if why != "" {
			return "quantity: " + why
		}
		quantity = n
	}
	for _, i := range []int{2, 3} {
		text := get(i)
		if text == nil {
			continue
		}
		m, why := table.Sum(text, b.o.Decimal)
		if why != "" {
			return fileFields[i] + ": " + why
		}
		if i == 3 {
			var err error
			if m, err = m.Thousandths(quantity); err != nil {
				_, said := fault.Of(err)
				return "price: " + said
			}
		}
		sum = m.Float()
		break
	}
	p := b.people[name]
	if p == nil {
		p = &fileShopper{}
		b.people[name] = p
	}
	if sum < 0 {
		p.refunds = append(p.refunds, value.Day{Day: day, Sum: -sum})
	} else {
		p.days = append(p.days, value.Day{Day: day, Sum: sum})
	}
	return ""
}

func (b *orderRows) orders() (*Orders, error) {
	o := &Orders{Rows: b.rows, Nobodys: b.nobodys, Columns: b.columns}
	for name, p := range b.people {
		days := value.Returned(value.Merge(p.days), value.Merge(p.refunds))
		if len(days) == 0 {
			continue
		}
		if len(o.Shoppers) == 0 || days[0].Day < o.First {
			o.First = days[0].Day
		}
		if len(o.Shoppers) == 0 || days[len(days)-1].Day > o.Last {
			o.Last = days[len(days)-1].Day
		}
		o.Shoppers = append(o.Shoppers, Shopper{Name: name, Days: days})
	}
	if len(o.Shoppers) == 0 {
		return nil, fault.New(fault.Invalid, "the file holds no order of a customer")
	}
	sortShoppers(o.Shoppers)
	return o, nil
}
