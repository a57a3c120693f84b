//! A part of the differential test. The whole test is the example with the same name.

mod cases;

#[test]
fn every_kernel_agrees_with_two_other_implementations() {
    let mut generator = cases::Generator::new(65_537);
    for number in 0..6_000 {
        let case = generator.next_case();
        if let Err(difference) = cases::check(&case) {
            panic!("case {number}: {difference}\n{case:x?}");
        }
    }
}
