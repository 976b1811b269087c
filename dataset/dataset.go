// Package dataset reads multimodal samples from NPZ, Parquet and CSV files.
//
// It does three things, in this order:
//
//  1. [Open] gives a [File]: named columns of one dtype and row shape, with
//     random access to row ranges, whatever the format. Memory does not grow
//     with the number of rows.
//  2. [Bind] matches a file with the inputs of a model and gives [Samples]:
//     tensors in the model's own dtypes and shapes, ids, labels. Whatever does
//     not fit is an [Error] with file, row, column, found and expected.
//  3. [ParseModalities] says which elements of which inputs are a modality.
//
// Rows and elements count from 0; CSV line numbers, which only appear in
// errors, count from 1 as editors do.
package dataset
