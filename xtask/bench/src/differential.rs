//! Judges random pushes with the engine and with the reference model, which shares no code with it.

use refgate_scenario::differences;

pub(crate) fn run(pushes: usize) -> Result<String, String> {
    let (judged, rejected, found) = differences(1_000_000, pushes)?;
    if let Some(first) = found.first() {
        return Err(format!(
            "seed {}\n{}\nengine {}\nmodel  {}",
            first.seed,
            first.story.join("\n"),
            first.engine,
            first.model
        ));
    }
    Ok(format!("{judged} pushes judged, {rejected} of them rejected, no difference"))
}
