// Package metric says how well predicted classes agree with labels: [Accuracy] and
// [MacroF1], the two numbers that networks and scores are judged by here.
//
// Both take two lists of classes, a prediction and a label for each sample, and a
// number from 0 to 1 comes back. A class is a whole number; that they are numbered
// from 0 on, or without gaps, is not asked for. Neither list is changed.
package metric

import (
	"errors"
	"fmt"
	"slices"
)

// Accuracy returns the share of samples whose predicted class is their label. It
// is an error if there are none, or not as many of the one as of the other.
func Accuracy(predicted, labels []int) (float64, error) {
	if err := check(predicted, labels); err != nil {
		return 0, err
	}
	right := 0
	for i, label := range labels {
		if predicted[i] == label {
			right++
		}
	}
	return float64(right) / float64(len(labels)), nil
}

// MacroF1 returns the mean of the classes' F1, each class weighing the same:
//
//	F1 = 2·TP / (2·TP + FP + FN)
//
// Classes that neither a label nor a prediction has are left out of the mean, for
// nothing is known of them; a class that only the labels have, or only the
// predictions, has F1 = 0. That is what scikit-learn's f1_score computes with
// average="macro". The sum is taken in ascending order of the classes. It is an
// error if there are no samples, or not as many predictions as labels.
func MacroF1(predicted, labels []int) (float64, error) {
	if err := check(predicted, labels); err != nil {
		return 0, err
	}
	// hits counts TP twice; met counts 2·TP + FP + FN.
	hits, met := map[int]int{}, map[int]int{}
	for i, label := range labels {
		met[label]++
		met[predicted[i]]++
		if label == predicted[i] {
			hits[label] += 2
		}
	}
	var classes []int
	for c := range met {
		classes = append(classes, c)
	}
	slices.Sort(classes) // so that the sum has one order
	sum := 0.0
	for _, c := range classes {
		sum += float64(hits[c]) / float64(met[c])
	}
	return sum / float64(len(classes)), nil
}

func check(predicted, labels []int) error {
	switch {
	case len(labels) != len(predicted):
		return fmt.Errorf("metric: want a prediction for each of %d labels, got %d", len(labels), len(predicted))
	case len(labels) == 0:
		return errors.New("metric: want at least one sample to judge on, got none")
	}
	return nil
}
