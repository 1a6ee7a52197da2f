//! The sizes that a task on Fargate can have.

/// The memory that goes with a share of processors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FargateSize {
    /// The share of processors: 1,024 is one.
    pub cpu: u32,
    /// The least memory in MiB.
    pub least_mib: u32,
    /// The most memory in MiB.
    pub most_mib: u32,
    /// The step between two amounts in MiB.
    pub step_mib: u32,
}

/// The sizes that Fargate has. Of the smallest one, 512 MiB is possible beside the steps.
///
/// Source: Amazon ECS Developer Guide, "Task CPU and memory" for Fargate.
#[rustfmt::skip]
pub const FARGATE_SIZES: [FargateSize; 7] = [
    FargateSize { cpu:    256, least_mib:  1_024, most_mib:   2_048, step_mib: 1_024 },
    FargateSize { cpu:    512, least_mib:  1_024, most_mib:   4_096, step_mib: 1_024 },
    FargateSize { cpu:  1_024, least_mib:  2_048, most_mib:   8_192, step_mib: 1_024 },
    FargateSize { cpu:  2_048, least_mib:  4_096, most_mib:  16_384, step_mib: 1_024 },
    FargateSize { cpu:  4_096, least_mib:  8_192, most_mib:  30_720, step_mib: 1_024 },
    FargateSize { cpu:  8_192, least_mib: 16_384, most_mib:  61_440, step_mib: 4_096 },
    FargateSize { cpu: 16_384, least_mib: 32_768, most_mib: 122_880, step_mib: 8_192 },
];

/// The size, or one that is possible when it is not, so that its mistake is told once.
pub(super) fn possible(cpu: u32, memory_mib: u32) -> (u32, u32) {
    match mistake(cpu, memory_mib) {
        None => (cpu, memory_mib),
        Some(_) => (FARGATE_SIZES[0].cpu, FARGATE_SIZES[0].least_mib),
    }
}

/// What is wrong with a size, and what to write; nothing if Fargate has it.
pub(super) fn mistake(cpu: u32, memory_mib: u32) -> Option<(String, String)> {
    let Some(size) = FARGATE_SIZES.iter().find(|size| size.cpu == cpu) else {
        let known = FARGATE_SIZES.map(|size| size.cpu.to_string()).join(", ");
        return Some((
            format!("Fargate has no tasks of {cpu} units of a processor"),
            format!("set one of {known}"),
        ));
    };
    let smallest = cpu == 256 && memory_mib == 512;
    let in_steps =
        (size.least_mib..=size.most_mib).contains(&memory_mib) && memory_mib.is_multiple_of(size.step_mib);
    (!smallest && !in_steps).then(|| {
        let message =
            format!("Fargate has no tasks of {cpu} units of a processor with {memory_mib} MiB of memory");
        let first = if cpu == 256 { "512, or " } else { "" };
        let hint = format!(
            "set the memory to {first}{} to {} MiB in steps of {}",
            size.least_mib, size.most_mib, size.step_mib
        );
        (message, hint)
    })
}
