// Package predict fits models to what customers did and tells the customers what
// follows from it, as events.
//
// A [Model] reads a [Source], which holds no names and no addresses, and answers
// with a [Result]: predictions about customers, each with its evidence in one
// sentence, and a [Report] that says how far they can be believed. A model that
// has too little to learn from refuses, and says what is missing; it never
// guesses. A [Runner] runs the models once a day of the data directory's clock
// and hands what changed to the log as Prediction Made. What a model says twice
// is said once.
//
// To add a model, write one file with a type that keeps the promises of [Model],
// and name it in [Models].
package predict
