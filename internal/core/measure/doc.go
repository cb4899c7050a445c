// Package measure says what messages bring, and how sure that is.
//
// Everybody who enters a journey is tossed into one of two groups by a hash of
// the experiment and the person ([Split.Assign]): those who are treated, and a
// holdout who walk the journey and get nothing. What the two spend afterwards
// ([OutcomeOf]) is added up in [Moments], which need one pass and can be merged,
// and [Holdout.Report] tells the difference: incremental orders and revenue.
//
// The intervals stay valid while they are watched ([Sequence]): whoever looks at
// a report every morning and stops when zero is excluded is wrong at most one
// time in twenty, and not one time in three. They are made for shops, where a
// few customers spend a hundred times the mean and the holdout is small, so they
// refuse to speak below a stated number of people.
//
// Beside what is incremental stands what shops know, last-touch attribution
// ([LastTouch]), and the alarm for a broken toss, [Mismatch].
package measure
