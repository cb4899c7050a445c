package value

// Param is a parameter of a fitted model.
type Param struct {
	Name  string
	Value float64
}

// Model is a fitted model of when customers order and leave.
type Model interface {
	// Name is "bg_nbd", "mbg_nbd" or "pareto_nbd".
	Name() string
	// Params returns the parameters in the order of the literature.
	Params() []Param
	// LogLikelihood is how well the model fits what it was fitted to.
	LogLikelihood() float64
	// Alive returns the chance that the customer has not left.
	Alive(c Customer) float64
	// Orders sets out, for each of the horizons in weeks, to the orders that are
	// expected of the customer within it.
	Orders(c Customer, horizons, out []float64)
	// Newcomer returns the orders that are expected of somebody within so many
	// weeks after their first.
	Newcomer(weeks float64) float64
	// Wait returns the weeks after which the customer has ordered with the chance,
	// and false if that never comes: it is likelier that they left.
	Wait(c Customer, chance float64) (float64, bool)
}

// Expected returns the orders that a model expects of a customer within so many weeks.
func Expected(m Model, c Customer, weeks float64) float64 {
	out := [1]float64{}
	m.Orders(c, []float64{weeks}, out[:])
	return out[0]
}

// fitted is what a fit leaves in every model.
type fitted struct{ ll float64 }

// LogLikelihood implements [Model].
func (f *fitted) LogLikelihood() float64 { return f.ll }
