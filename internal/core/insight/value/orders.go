package value

import (
	"fmt"
	"math"
	"strings"

	"rapport/internal/fault"
)

// The least that the models learn from. With fewer customers, or fewer who came
// back, the parameters of simulated shops come out wrong by half and more; and
// within a quarter nobody's silence can mean that they left.
const (
	LeastCustomers = 200
	LeastReturning = 50
	LeastWeeks     = 13
	LeastSpends    = 50 // customers whose second orders were paid for
)

// tie is how much likelier a model must be than one before it: where nobody
// leaves they are all the same.
const tie = 0.01

// Fit is what was learned from the orders of all customers.
type Fit struct {
	Customers int
	Returning int         // who ordered on more than one day
	Models    []Model     // those that were fitted, in a fixed order
	Chosen    Model       // the likeliest
	Spend     *GammaGamma // nil: too few spent anything in a second order
	NoSpend   string      // why, if so
}

// Missing says in a sentence what the models lack to learn from the customers;
// empty if nothing.
func Missing(customers []Customer) string {
	returning, weeks := 0, 0.0
	for _, c := range customers {
		if c.X > 0 {
			returning++
		}
		weeks = max(weeks, c.T)
	}
	var lack []string
	if len(customers) < LeastCustomers {
		lack = append(lack, fmt.Sprintf("%d customers who ordered, of at least %d", len(customers), LeastCustomers))
	}
	if returning < LeastReturning {
		lack = append(lack, fmt.Sprintf("%d who ordered again on another day, of at least %d", returning, LeastReturning))
	}
	if weeks < LeastWeeks {
		lack = append(lack, fmt.Sprintf("%.0f weeks since the first order, of at least %d", math.Floor(weeks), LeastWeeks))
	}
	if len(lack) == 0 {
		return ""
	}
	return "too little to learn from: there are " + strings.Join(lack, ", and ")
}

// FitOrders fits every model to the customers and what those who came back
// spent, and chooses the likeliest. A list with too little in it is a fault of
// kind Unavailable: see [Missing].
func FitOrders(customers []Customer, spends []Spend) (*Fit, error) {
	if lack := Missing(customers); lack != "" {
		return nil, fault.New(fault.Unavailable, lack)
	}
	f := &Fit{Customers: len(customers)}
	for _, c := range customers {
		if c.X > 0 {
			f.Returning++
		}
	}
	s := newSample(customers)
	var failed error
	for _, fit := range []func() (Model, error){
		func() (Model, error) { return orNil(fitBGNBD(s)) },
		func() (Model, error) { return orNil(fitMBGNBD(s)) },
		func() (Model, error) { return orNil(fitPareto(s)) },
	} {
		m, err := fit()
		if err != nil {
			failed = err
			continue
		}
		f.Models = append(f.Models, m)
		if f.Chosen == nil || m.LogLikelihood() > f.Chosen.LogLikelihood()+tie {
			f.Chosen = m
		}
	}
	if f.Chosen == nil {
		return nil, failed
	}
	paid := 0
	for _, p := range spends {
		if p.X > 0 && p.Mean > 0 {
			paid++
		}
	}
	if paid < LeastSpends {
		f.NoSpend = fmt.Sprintf("too little to learn from: there are %d customers who spent something in a second order, of at least %d", paid, LeastSpends)
		return f, nil
	}
	spend, err := FitSpend(spends)
	switch {
	case err != nil:
		f.NoSpend = err.Error()
	case spend.Q <= 1:
		// The mean over all customers has no bound; what somebody of whom nothing is
		// known will spend cannot be said.
		f.NoSpend = "what customers spend is too uneven: a few spend nearly everything"
	default:
		f.Spend = spend
	}
	return f, nil
}

// orNil keeps a failed fit from becoming a Model that is not nil.
func orNil[M Model](m M, err error) (Model, error) {
	if err != nil {
		return nil, err
	}
	return m, nil
}

// Year is the horizon of values, in weeks, and months is in how many parts its
// orders are discounted.
const (
	Year   = 52.0
	months = 12
)

// Worth is what is said of one customer.
type Worth struct {
	Alive float64 // chance that they have not left
	Soon  float64 // orders expected in the horizon asked for
	Year  float64 // orders expected in a year
	Mean  float64 // sum that an order is expected to bring; 0 without a spend model
	Value float64 // what the year's orders bring the shop, at today's worth; 0 without a spend model
	Next  float64 // weeks until they have rather ordered than not
	Due   bool    // whether that ever comes
}

// Even is the chance that Next stands for: rather yes than no.
const Even = 0.5

// Worth says what a customer is worth: margin is which share of a sum is the
// shop's, discount by which share a year makes money less worth.
func (f *Fit) Worth(c Customer, s Spend, soon, margin, discount float64) Worth {
	var at, out [months + 1]float64
	for i := range months {
		at[i] = Year / months * float64(i+1)
	}
	at[months] = soon
	f.Chosen.Orders(c, at[:], out[:])
	w := Worth{Alive: f.Chosen.Alive(c), Soon: out[months], Year: out[months-1]}
	w.Next, w.Due = f.Chosen.Wait(c, Even)
	if f.Spend == nil {
		return w
	}
	w.Mean = f.Spend.Mean(s)
	before := 0.0
	for i := range months {
		// Orders of a month come in its middle.
		w.Value += (out[i] - before) / math.Pow(1+discount, (float64(i)+.5)/months)
		before = out[i]
	}
	w.Value *= w.Mean * margin
	return w
}
