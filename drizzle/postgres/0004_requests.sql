CREATE TABLE "traffic" (
	"step_ms" bigint NOT NULL,
	"kind" text NOT NULL,
	"at" bigint NOT NULL,
	"name" text NOT NULL,
	"run" text NOT NULL,
	"expires_at" bigint NOT NULL,
	"data" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "usage" ADD COLUMN "agent_name" text;--> statement-breakpoint
ALTER TABLE "usage" ADD COLUMN "error" text;--> statement-breakpoint
ALTER TABLE "usage" ADD COLUMN "failures" text;--> statement-breakpoint
ALTER TABLE "usage" ADD COLUMN "is_affine" boolean;--> statement-breakpoint
CREATE UNIQUE INDEX "traffic_step" ON "traffic" USING btree ("step_ms","kind","at","name","run");--> statement-breakpoint
CREATE INDEX "traffic_expires_at" ON "traffic" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "usage_failed_at" ON "usage" USING btree ("at") WHERE outcome <> 'ok';