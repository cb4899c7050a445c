// Package demo is the shop of the demonstration: a real year of orders, and
// around it the people and habits that the data does not have.
//
// What is real is in examples/online-retail: who bought what, when, for how much
// and from which country. What is invented is here, and nothing else is: names,
// addresses, consents, time zones within a country, and how people treat their
// mail. Every invention is a pure function of a seed and the customer's number
// ([Invent], [Reactions], [Bounces]), so one seed gives one shop on every machine
// and in every order of asking, and each carries the word [Invented] wherever it
// is shown. Nothing that the product shows as insight may rest on it.
//
// [Messages] turns the year into what a shop's own back end would send to the
// tracking API. [CategoryOf] is the printed keyword rule by which descriptions
// become categories, for the file has none.
package demo
