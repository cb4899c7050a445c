package predict

import "context"

// Watch returns the models, each of which shows what it found to `heard` before
// the runner tells anybody: for whoever shows more of it than reports hold.
func Watch(models []Model, heard func(model string, r *Result)) []Model {
	list := make([]Model, len(models))
	for i, m := range models {
		list[i] = watched{m, heard}
	}
	return list
}

type watched struct {
	Model
	heard func(model string, r *Result)
}

// Fit implements [Model].
func (w watched) Fit(ctx context.Context, src Source, m Moment) (*Result, error) {
	r, err := w.Model.Fit(ctx, src, m)
	if err == nil {
		w.heard(w.About().Name, r)
	}
	return r, err
}
