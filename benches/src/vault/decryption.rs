//! One RSA-2048 OAEP decryption by itself: what opening a seal cannot cost less than.

use std::sync::Barrier;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey,
};
use rustix::time::{ClockId, clock_gettime};

/// Decryptions that are measured at once.
const COUNT: u32 = 1_000;

/// The processor time of one decryption while as many threads decrypt. Cores that share something with others, as
/// virtual ones do, are slower when all are busy.
pub(super) fn processor_time(threads: usize) -> Result<Duration> {
    let private = PrivateDecryptingKey::generate(KeySize::Rsa2048)?;
    let public = OaepPublicEncryptingKey::new(private.public_key())?;
    let private = OaepPrivateDecryptingKey::new(private)?;
    let mut block = vec![0; public.ciphertext_size()];
    public.encrypt(&OAEP_SHA256_MGF1SHA256, &[7; 32], &mut block, None)?;
    let start = Barrier::new(threads);
    let work = || {
        let mut plaintext = vec![0; private.min_output_size()];
        start.wait();
        let before = thread_time();
        for _ in 0..COUNT {
            private.decrypt(&OAEP_SHA256_MGF1SHA256, &block, &mut plaintext, None)?;
        }
        anyhow::Ok((thread_time().checked_sub(before).context("a clock that goes forward")?) / COUNT)
    };
    std::thread::scope(|scope| {
        let working: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut sum = Duration::ZERO;
        for thread in working {
            sum += thread.join().map_err(|_| anyhow!("decrypting panicked"))??;
        }
        Ok(sum / u32::try_from(threads)?)
    })
}

fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    // Never before its thread began.
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}
