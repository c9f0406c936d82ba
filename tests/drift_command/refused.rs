//! What cannot be compared is one line that says where and why, and exit code 2.

use super::modelpulse;

#[test]
fn bad_input_is_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let write = |name: &str, content: &[u8]| std::fs::write(dir.join(name), content).unwrap();
    write("a.csv", b"x,y\n1,2\n3,4\n");
    write("b.csv", b"u,v\n1,2\n");
    write("empty.csv", b"x,y\n");
    let (code, _, _) = modelpulse(dir, "profile a.csv -o a.profile");
    assert_eq!(code, 0);
    let whole = std::fs::read(dir.join("a.profile")).unwrap();
    write("torn.profile", &whole[..whole.len() - 3]);
    let mut damaged = whole.clone();
    damaged[40] ^= 1;
    write("damaged.profile", &damaged);
    for (line, message) in [
        (
            "drift --reference a.csv --current b.csv",
            "a.csv and b.csv have no column in common to compare",
        ),
        (
            "drift --reference a.csv --current none.csv",
            "cannot open none.csv: No such file or directory (os error 2)",
        ),
        (
            "drift --reference a.csv --current a.csv --columns z",
            "a.csv has no column 'z'; it has 'x', 'y'",
        ),
        (
            "drift --reference a.csv --current a.csv --label z",
            "a.csv has no column 'z'; it has 'x', 'y'",
        ),
        (
            "drift --reference a.csv --current empty.csv",
            "empty.csv has no rows",
        ),
        (
            "drift --reference a.profile --current a.csv --compat evidently",
            "--compat evidently needs every value, and a.profile is a profile: give the table",
        ),
        (
            "drift --reference a.csv --current a.csv --test x=psy",
            "--test 'x=psy': the tests are ks, anderson, cvm, mannwhitney, t, z, chi2, g, fisher, psi, kl, js, hellinger, tvd, wasserstein",
        ),
        (
            "drift --reference a.csv --current a.csv --test ks:0.1",
            "--test 'ks:0.1': ks has a p-value, whose level is --alpha",
        ),
        (
            "profile a.csv b.csv",
            "b.csv: profiles of different columns cannot be merged: 'x' here is 'u' there",
        ),
    ] {
        let (code, out, err) = modelpulse(dir, line);
        let expected = format!("error: {message}\n");
        assert_eq!((code, out.as_str(), err), (2, "", expected), "{line}");
    }
    for (file, message) in [
        (
            "torn.profile",
            "torn.profile: a profile that was not written to its end: ",
        ),
        (
            "damaged.profile",
            "damaged.profile: a damaged profile: its checksum is another",
        ),
    ] {
        let (code, out, err) =
            modelpulse(dir, &format!("drift --reference {file} --current a.csv"));
        assert_eq!(
            (code, out.as_str(), err.lines().count()),
            (2, "", 1),
            "{err}"
        );
        assert!(err.contains(message), "{err}");
    }
    // Two rows are no basis for a verdict.
    let (code, out, err) = modelpulse(dir, "drift --reference a.csv --current a.csv");
    assert_eq!((code, err.as_str()), (2, ""));
    assert!(
        out.ends_with("not enough data to say anything of 2 columns\n"),
        "{out}"
    );
    let (code, _, err) = modelpulse(dir, "drift --reference a.csv --current a.csv --alpha 5");
    assert!(
        code == 2 && err.contains("a number from 0 up to 1"),
        "{err}"
    );
}
