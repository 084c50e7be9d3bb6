//! What the checks are worth: each finds the mistakes that it is there for.

use lockscope_conformance::coverage::Course;

use super::{anything, bias, coverage, in_turn};
use crate::backends::Tested;
use crate::plain::{Mistake, Plain};
use crate::windows;

/// What a check says of the plain backend that makes this mistake.
fn found(mistake: Mistake, check: impl FnOnce(&Tested) -> Result<(), String>) {
    let checked = check(&Tested::mistaken(mistake));
    println!("{}", checked.expect_err(&format!("{mistake:?} is to be found")));
}

fn misses_the_truth(mistake: Mistake, course: &Course) {
    found(mistake, |tested| coverage::check_course::<Plain>(tested, course));
}

#[test]
fn a_fixed_stride_gives_nobody_the_right_share() {
    for turn in in_turn::TURNS {
        found(Mistake::Stride, |tested| in_turn::check_turn::<Plain>(tested, turn));
    }
}

#[test]
fn intervals_of_countdowns_that_are_not_geometric_are_too_wide() {
    let [_, period_15] = &coverage::FIXED;
    misses_the_truth(Mistake::Stride, period_15);
    misses_the_truth(Mistake::Uniform, period_15);
}

#[test]
fn weights_that_are_not_those_of_the_draw_are_found() {
    let [_, fast] = &coverage::MOVING;
    for mistake in [Mistake::WeighsWhenTaken, Mistake::WeighsAtEnd] {
        misses_the_truth(mistake, fast);
        found(mistake, |tested| bias::check_case::<Plain>(tested, &bias::CASES[0]));
        found(mistake, anything::check::<Plain>);
    }
}

#[test]
fn a_variance_that_is_not_w_times_w_minus_1_is_found() {
    let [period_2, period_15] = &coverage::FIXED;
    misses_the_truth(Mistake::VarianceIsWeight, period_15);
    misses_the_truth(Mistake::VarianceIsSquare, period_2);
}

#[test]
fn contended_acquisitions_that_weigh_more_than_themselves_are_found() {
    let [_, period_15] = &coverage::FIXED;
    misses_the_truth(Mistake::ContendedWeigh, period_15);
    found(Mistake::ContendedWeigh, anything::check::<Plain>);
}

/// All are drawn, and all weigh 1.
#[test]
fn contended_acquisitions_that_weigh_less_than_they_stand_for_are_found() {
    let [thinned] = &coverage::THINNED;
    misses_the_truth(Mistake::ContendedDoNotWeigh, thinned);
}

#[test]
fn windows_that_forget_those_before_them_are_found() {
    found(Mistake::ForgetsWhatItHasMet, windows::check::<Plain>);
}
