// Package demo is a model and data of our own making whose answer is known, so that
// everything can be tried without a file, a native library or a network.
//
// The story is a triage, and nothing in it is medicine. A patient has four measurements,
// [Model] answers with the probability of three classes, and what depends on what was
// written down first:
//
//	image   hazy in three of eight patients; haze moves 15/32 from home to isolate
//	ecg     regular or not, one half each  } where the two contradict each other, 29/64
//	labs    good or bad, one half each     } move from home to monitor; neither alone
//	notes   are read by nobody
//
// Both moves add up, so that image has no interaction with anything. [Truth] has the
// shares that follow; a test holds a run against them.
//
// Measurements are drawn by a fixed seed as signals with noise, and the model finds haze,
// rhythm and laboratory in them by plain arithmetic. Patients who are explained have
// every combination of signs as often as the rule says; background rows are drawn, as
// anybody's are, so that ecg and labs alone come out near zero and not at it. What is in
// no patient is exactly zero: probabilities are fractions of 128.
//
// Reading order: model.go (the rule), patients.go (the data), demo.go (the question).
package demo
