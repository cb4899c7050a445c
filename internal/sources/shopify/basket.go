package shopify

import (
	"strconv"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/fault"
	"rapport/internal/sources/connect"
)

// checkout is a checkout that was begun, and maybe left.
type checkout struct {
	Token    text      `json:"token"`
	ID       text      `json:"id"`
	Cart     text      `json:"cart_token"`
	Created  text      `json:"created_at"`
	Updated  text      `json:"updated_at"`
	Currency text      `json:"currency"`
	Email    text      `json:"email"`
	Phone    text      `json:"phone"`
	Person   text      `json:"customer_id"`
	Subtotal text      `json:"subtotal_price"`
	Total    text      `json:"total_price"`
	Tax      text      `json:"total_tax"`
	Resume   text      `json:"abandoned_checkout_url"`
	Web      text      `json:"web_url"`
	Lines    []line    `json:"line_items"`
	Customer *customer `json:"customer"`
	Locale   text      `json:"customer_locale"`
}

func readCheckout(t *connect.Teller, what string, body []byte) (h connect.Heard, err error) {
	if what == "delete" {
		h.Ignored = "a checkout that ends is told by its order, or by silence"
		return h, nil
	}
	var c checkout
	if err := connect.Decode(body, &c); err != nil {
		return h, err
	}
	if c.Token == "" {
		return h, fault.New(fault.Invalid, "token: a checkout needs one")
	}
	created, err := c.Created.Time("created_at")
	if err != nil {
		return h, err
	}
	updated, err := c.Updated.Time("updated_at")
	if err != nil {
		return h, err
	}
	var s connect.Sums
	props := func() *event.Builder {
		b := (&event.Builder{}).SetText("checkout_id", c.Token.String()).SetText("currency", c.Currency.String())
		b.Set("value", connect.Sum(s.Of(c.Subtotal, "subtotal_price"))).Set("total", connect.Sum(s.Of(c.Total, "total_price"))).Set("tax", connect.Sum(s.Of(c.Tax, "total_tax")))
		resume := c.Resume
		if resume == "" {
			resume = c.Web
		}
		return b.SetText("checkout_url", resume.String()).Set("products", told(&s, c.Lines))
	}
	who := connect.Person{ID: c.Person.String(), Email: c.Email.String(), Phone: c.Phone.String(), Cart: c.Cart.String(), Locale: c.Locale.String()}
	if c.Customer != nil {
		who.ID = c.Customer.ID.String()
		if err := c.Customer.tell(t); err != nil {
			return h, err
		}
	}
	t.Tell(&who, t.ID("checkout", c.Token.String()), event.CheckoutStarted, created, props(), "")
	if updated > created {
		t.Tell(&who, t.ID("checkout", c.Token.String(), strconv.FormatInt(int64(updated), 36)), connect.CheckoutUpdated, updated, props(), "")
	}
	return heardOf(t, "nobody is known by it yet"), s.Err()
}

func told(s *connect.Sums, lines []line) event.Value {
	list := make([]connect.Line, 0, len(lines))
	for i := range lines {
		l, _ := lines[i].told(s)
		list = append(list, l)
	}
	return connect.Lines(list)
}

// readCart reads a cart. It names no customer; its token is that of a browser, and
// comes back with the checkout and the order, which do.
func readCart(t *connect.Teller, body []byte) (h connect.Heard, err error) {
	var c struct {
		Token   text   `json:"token"`
		ID      text   `json:"id"`
		Updated text   `json:"updated_at"`
		Lines   []line `json:"line_items"`
	}
	if err := connect.Decode(body, &c); err != nil {
		return h, err
	}
	if c.Token == "" {
		c.Token = c.ID
	}
	if c.Token == "" {
		return h, fault.New(fault.Invalid, "token: a cart needs one")
	}
	updated, err := c.Updated.Time("updated_at")
	if err != nil {
		return h, err
	}
	var s connect.Sums
	sum := money.Micros(0)
	for i := range c.Lines {
		_, net := c.Lines[i].told(&s)
		sum = s.Add(sum, net)
	}
	props := (&event.Builder{}).SetText("cart_id", c.Token.String()).SetText("currency", string(t.Source.Currency)).Set("value", connect.Sum(sum)).Set("products", told(&s, c.Lines))
	t.Tell(&connect.Person{Cart: c.Token.String()}, t.ID("cart", c.Token.String(), strconv.FormatInt(int64(updated), 36)), connect.CartUpdated, updated, props, "")
	return heardOf(t, "nobody is known by it"), s.Err()
}
